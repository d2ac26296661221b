package deploy

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/core/config"
)

// object is what of a manifest the tests compare; maps hold the rest.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Spec       map[string]any
}

type probe struct {
	HTTPGet       struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds int                         `yaml:"periodSeconds"`
	Rest          map[string]int              `yaml:",inline"`
}

type container struct {
	Name, Image string
	Args        []string
	Ports       []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Env []struct {
		Name, Value string
		ValueFrom   struct {
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext map[string]any `yaml:"securityContext"`
	StartupProbe    probe          `yaml:"startupProbe"`
	ReadinessProbe  probe          `yaml:"readinessProbe"`
	LivenessProbe   probe          `yaml:"livenessProbe"`
	VolumeMounts    []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

// deployment is the Deployment as far as it may go: a key that is not here is a mistake, or needs its line.
type deployment struct {
	RevisionHistoryLimit int `yaml:"revisionHistoryLimit"`
	MinReadySeconds      int `yaml:"minReadySeconds"`
	Strategy             map[string]any
	Selector             struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     struct {
			AutomountServiceAccountToken  bool             `yaml:"automountServiceAccountToken"`
			EnableServiceLinks            bool             `yaml:"enableServiceLinks"`
			TerminationGracePeriodSeconds int              `yaml:"terminationGracePeriodSeconds"`
			SecurityContext               map[string]any   `yaml:"securityContext"`
			TopologySpreadConstraints     []map[string]any `yaml:"topologySpreadConstraints"`
			Containers                    []container
			Volumes                       []map[string]any
		}
	}
}

// strictly decodes YAML and refuses keys that v does not have.
func strictly(t *testing.T, from any, v any) {
	t.Helper()
	text, err := yaml.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(v); err != nil {
		t.Fatal(err)
	}
}

// manifests are the objects of all files that the kustomization names, by kind.
func manifests(t *testing.T) map[string]object {
	t.Helper()
	var k struct{ Resources []string }
	if err := yaml.Unmarshal([]byte(read(t, "kubernetes/kustomization.yaml")), &k); err != nil {
		t.Fatal(err)
	}
	found := map[string]object{}
	for _, name := range k.Resources {
		decoder := yaml.NewDecoder(strings.NewReader(read(t, filepath.Join("kubernetes", name))))
		for {
			var o object
			err := decoder.Decode(&o)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			found[o.Kind] = o
		}
	}
	return found
}

func theDeployment(t *testing.T) (deployment, container) {
	t.Helper()
	var d deployment
	strictly(t, manifests(t)["Deployment"].Spec, &d)
	if len(d.Template.Spec.Containers) != 1 {
		t.Fatalf("%d containers", len(d.Template.Spec.Containers))
	}
	return d, d.Template.Spec.Containers[0]
}

func TestManifestsAreAllThere(t *testing.T) {
	want := map[string]string{
		"Namespace": "v1", "Deployment": "apps/v1", "Service": "v1", "PodDisruptionBudget": "policy/v1",
		"HorizontalPodAutoscaler": "autoscaling/v2", "NetworkPolicy": "networking.k8s.io/v1",
	}
	found := manifests(t)
	for kind, version := range want {
		if found[kind].APIVersion != version {
			t.Errorf("%s: got %q, want %q", kind, found[kind].APIVersion, version)
		}
	}
	if len(found) != len(want) {
		t.Errorf("got %d kinds, want %d", len(found), len(want))
	}
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) != len(want)+1 {
		t.Errorf("files that the kustomization does not name: %v, %v", files, err)
	}
}

func TestManifestsFitTogether(t *testing.T) {
	d, c := theDeployment(t)
	found := manifests(t)
	labels := d.Template.Metadata.Labels
	for _, kind := range []string{"PodDisruptionBudget", "Deployment"} {
		var selected struct {
			Selector struct {
				MatchLabels map[string]string `yaml:"matchLabels"`
			}
		}
		remarshal(t, found[kind].Spec, &selected)
		if len(selected.Selector.MatchLabels) == 0 || !within(selected.Selector.MatchLabels, labels) {
			t.Errorf("%s selects %v, pods have %v", kind, selected.Selector.MatchLabels, labels)
		}
	}
	var service struct {
		Selector map[string]string
		Ports    []struct {
			TargetPort string `yaml:"targetPort"`
		}
	}
	remarshal(t, found["Service"].Spec, &service)
	if !within(service.Selector, labels) || len(service.Ports) != 1 || c.port(service.Ports[0].TargetPort) == 0 {
		t.Errorf("the Service leads to %v %v", service.Selector, service.Ports)
	}
	var scaler struct {
		Target struct{ Kind, Name string } `yaml:"scaleTargetRef"`
	}
	remarshal(t, found["HorizontalPodAutoscaler"].Spec, &scaler)
	if scaler.Target.Kind != "Deployment" || scaler.Target.Name != found["Deployment"].Metadata.Name {
		t.Errorf("the autoscaler's target is %v", scaler.Target)
	}
}

func TestPodIsContained(t *testing.T) {
	d, c := theDeployment(t)
	var got struct {
		AllowPrivilegeEscalation bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	}
	strictly(t, c.SecurityContext, &got)
	if got.AllowPrivilegeEscalation || !got.ReadOnlyRootFilesystem || len(got.Capabilities.Drop) != 1 || got.Capabilities.Drop[0] != "ALL" {
		t.Errorf("the container may %+v", got)
	}
	pod := d.Template.Spec
	if pod.SecurityContext["runAsNonRoot"] != true || pod.SecurityContext["runAsUser"] != 65532 || pod.AutomountServiceAccountToken {
		t.Errorf("the pod runs as %v", pod.SecurityContext)
	}
}

func TestPodSuitsItsConfig(t *testing.T) {
	d, c := theDeployment(t)
	cfg := podConfig(t)
	if got, want := ":"+strconv.Itoa(c.port("http")), cfg.Server.Listen[0].Address; got != want {
		t.Errorf("http: got %s, want %s", got, want)
	}
	if got, want := ":"+strconv.Itoa(c.port("admin")), cfg.Admin.Listen; got != want {
		t.Errorf("admin: got %s, want %s", got, want)
	}
	grace := time.Duration(d.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	if delay := cfg.Server.DrainDelay; delay == 0 || delay+cfg.Server.DrainTimeout >= grace {
		t.Errorf("drain_delay %v and drain_timeout %v do not fit into %v", delay, cfg.Server.DrainTimeout, grace)
	}
	for name, p := range map[string]probe{"/readyz": c.ReadinessProbe, "/readyz at the start": c.StartupProbe, "/livez": c.LivenessProbe} {
		if path, _, _ := strings.Cut(name, " "); p.HTTPGet.Path != path || p.HTTPGet.Port != "admin" || p.PeriodSeconds == 0 {
			t.Errorf("%s: the probe is %+v", name, p)
		}
	}
	writable := ""
	for _, mount := range c.VolumeMounts {
		if !mount.ReadOnly {
			writable += mount.MountPath + "/"
		}
	}
	if !strings.HasPrefix(cfg.Sandbox.Cache, writable) || writable == "" {
		t.Errorf("the cache is %s, writable is %s", cfg.Sandbox.Cache, writable)
	}
	if soft, hard := mebibytes(t, c.env("GOMEMLIMIT")), mebibytes(t, c.Resources.Limits["memory"]); soft > hard*85/100 || soft < hard/2 {
		t.Errorf("GOMEMLIMIT is %d MiB of %d", soft, hard)
	}
	token := regexp.MustCompile(`token = \{ env = "(.*)" \}`).FindStringSubmatch(read(t, "kubernetes/gateway.toml"))
	if token == nil || c.env(token[1]) != "secret" {
		t.Errorf("the token's variable %v is not from a secret", token)
	}
}

func TestKustomize(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("there is no kubectl")
	}
	out, err := exec.Command("kubectl", "kustomize", "kubernetes").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"name: sallyport-config\n", "registry.example.com/sallyport:", "gateway.toml: |\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("there is no %q", want)
		}
	}
}

func TestPodConfigPassesCheck(t *testing.T) {
	dir := t.TempDir()
	check(t, dir, podText(t, plugins(t), filepath.Join(dir, "cache")), "SALLYPORT_ADMIN_TOKEN=0123456789abcdef")
}

// podText is the ConfigMap's file with its paths on this machine.
func podText(t *testing.T, plugins, cache string) string {
	t.Helper()
	return strings.NewReplacer("/usr/lib/sallyport/plugins", plugins, "/var/cache/sallyport/wasm", cache).Replace(read(t, "kubernetes/gateway.toml"))
}

func podConfig(t *testing.T) *config.Config {
	t.Helper()
	t.Setenv("SALLYPORT_ADMIN_TOKEN", "0123456789abcdef")
	cfg, err := config.Parse(filepath.Join(t.TempDir(), "gateway.toml"), []byte(podText(t, plugins(t), "/var/cache/sallyport/wasm")))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// remarshal decodes the part of a manifest that v has.
func remarshal(t *testing.T, from any, v any) {
	t.Helper()
	text, err := yaml.Marshal(from)
	if err == nil {
		err = yaml.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func within(some, all map[string]string) bool {
	for key, value := range some {
		if all[key] != value {
			return false
		}
	}
	return true
}

func (c container) port(name string) int {
	for _, p := range c.Ports {
		if p.Name == name {
			return p.ContainerPort
		}
	}
	return 0
}

// env returns a variable's value, "secret" if it is one.
func (c container) env(name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			if e.ValueFrom.SecretKeyRef.Key != "" {
				return "secret"
			}
			return e.Value
		}
	}
	return ""
}

func mebibytes(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSuffix(text, "B"), "Mi"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
