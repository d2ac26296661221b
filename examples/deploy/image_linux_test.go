package deploy

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

// jail is how the container's image is run: its own root, read-only, as a user who owns nothing there, with a cache that nothing can be
// executed from, and without capabilities. The folder of the config is mounted as the kubelet lays out a ConfigMap.
const jail = `
root=$1 conf=$2
mount --bind "$root" "$root"
mount -o remount,bind,ro,nosuid,nodev "$root"
mount --bind "$conf" "$root/etc/sallyport"
mount -o remount,bind,ro,nosuid,nodev,noexec "$root/etc/sallyport"
mount -t tmpfs -o mode=0777,nosuid,nodev,noexec,size=64m cache "$root/var/cache/sallyport"
mount --rbind /proc "$root/proc"
exec chroot --userspec=65532:65532 --groups=65532 "$root" /usr/bin/sallyport run -c /etc/sallyport/gateway.toml
`

// imageRoot puts together what the Dockerfile's last stage copies.
func imageRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for parent := dir; len(parent) > len(os.TempDir()); parent = filepath.Dir(parent) {
		if err := os.Chmod(parent, 0o755); err != nil { // a test's folder is for its own user alone
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"etc/sallyport", "usr/bin", "usr/lib/sallyport/plugins", "var/cache/sallyport", "proc"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	install(t, command(t), filepath.Join(dir, "usr/bin/sallyport"))
	for _, name := range []string{"security-headers.wasm", "first-plugin.wasm"} {
		install(t, filepath.Join(plugins(t), name), filepath.Join(dir, "usr/lib/sallyport/plugins", name))
	}
	return dir
}

func install(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// layOut writes a ConfigMap's file as the kubelet does: into a folder of its own, to which ..data is turned at once.
func layOut(t *testing.T, dir, version, text string) {
	t.Helper()
	folder := filepath.Join(dir, version)
	steps := []error{
		os.Mkdir(folder, 0o755),
		os.WriteFile(filepath.Join(folder, "gateway.toml"), []byte(text), 0o644),
		os.Symlink(version, filepath.Join(dir, "..data_tmp")),
		os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")),
	}
	if _, err := os.Lstat(filepath.Join(dir, "gateway.toml")); err != nil {
		steps = append(steps, os.Symlink("..data/gateway.toml", filepath.Join(dir, "gateway.toml")))
	}
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func get(url string) (int, string) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body) // a cut body shows in what is compared
	return resp.StatusCode, string(body)
}

// canJail skips where this user or machine cannot make a jail.
func canJail(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make the container's root")
	}
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("no mounts of its own here: %v %s", err, out)
	}
}

// The image as Kubernetes runs it, but for Kubernetes: started, probed, asked, reloaded by a swapped ConfigMap, drained.
func TestImageRunsReadOnlyWithoutPrivileges(t *testing.T) {
	canJail(t)
	image, conf := imageRoot(t), filepath.Join(t.TempDir(), "config")
	if err := os.Mkdir(conf, 0o755); err != nil {
		t.Fatal(err)
	}
	addr, admin := free.Address(t), free.Address(t)
	text := strings.NewReplacer(`":8080"`, fmt.Sprintf("%q", addr), `":9901"`, fmt.Sprintf("%q", admin)).Replace(podText(t, "/usr/lib/sallyport/plugins", "/var/cache/sallyport/wasm"))
	layOut(t, conf, "..1", text)
	out := &output.Text{}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-euc", jail, "jail", image, conf)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SALLYPORT_ADMIN_TOKEN=0123456789abcdef", "GOMEMLIMIT=400MiB"}
	cmd.Stdout, cmd.Stderr = out, out
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(out)
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		_ = cmd.Wait()
	})
	_, c := theDeployment(t)
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		until(t, p.HTTPGet.Path+" is 200", func() bool {
			status, _ := get("http://" + admin + p.HTTPGet.Path)
			return status == 200
		})
	}
	resp, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got %d %v, want 200 through security-headers", resp.StatusCode, resp.Header)
	}
	isContained(t, cmd.Process.Pid)

	layOut(t, conf, "..2", strings.Replace(text, "Sallyport is running", "another config", 1))
	until(t, "the swapped ConfigMap is served", func() bool { _, body := get("http://" + addr + "/"); return body == "another config\n" })
	layOut(t, conf, "..3", "nonsense = 1\n"+text)
	until(t, "the bad one is refused", func() bool { return strings.Contains(out.String(), "nonsense") })
	if _, body := get("http://" + addr + "/"); body != "another config\n" {
		t.Errorf("a bad ConfigMap changed what is served: %s", body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, out)
	}
}

// isContained looks from outside at who the process is, and at what it could write.
func isContained(t *testing.T, pid int) {
	t.Helper()
	status := read(t, fmt.Sprintf("/proc/%d/status", pid))
	for _, want := range []string{"Uid:\t65532\t65532\t65532\t65532\n", "CapEff:\t0000000000000000\n", "CapPrm:\t0000000000000000\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("there is no %q in\n%s", want, status)
		}
	}
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/mountinfo", pid))) {
		fields := strings.Fields(line)
		writable := strings.HasPrefix(fields[5], "rw")
		if where := fields[4]; writable && where != "/var/cache/sallyport" && !strings.HasPrefix(where, "/proc") {
			t.Errorf("writable: %s", line)
		}
	}
	compiled := 0
	err := filepath.WalkDir(fmt.Sprintf("/proc/%d/root/var/cache/sallyport", pid), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			compiled++
		}
		return err
	})
	if err != nil || compiled == 0 {
		t.Errorf("%d compiled plugins in the cache, %v", compiled, err)
	}
}
