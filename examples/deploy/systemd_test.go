package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// unit is what a unit file says, by section and key; a key may be there more than once.
type unit map[string]map[string][]string

// readUnit takes nothing but sections, assignments and comments on lines of their own.
func readUnit(t *testing.T, name string) unit {
	t.Helper()
	u, section := unit{}, ""
	for line := range strings.Lines(read(t, name)) {
		line = strings.TrimSuffix(line, "\n")
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
			u[section] = map[string][]string{}
		case ok && section != "" && regexp.MustCompile(`^[A-Za-z]+$`).MatchString(key) && value == strings.TrimSpace(value):
			u[section][key] = append(u[section][key], value)
		default:
			t.Fatalf("%s: %q is no line of a unit", name, line)
		}
	}
	return u
}

func TestUnitHasWhatTheGatewayNeeds(t *testing.T) {
	u := readUnit(t, "systemd/sallyport.service")
	for key, want := range map[string][]string{
		"ExecStart":               {"/usr/bin/sallyport run -c /etc/sallyport/gateway.toml"},
		"ExecReload":              {"/usr/bin/sallyport check -c /etc/sallyport/gateway.toml", "/bin/kill -HUP $MAINPID"},
		"KillSignal":              {"SIGTERM"},
		"User":                    {"sallyport"},
		"ProtectSystem":           {"strict"},
		"NoNewPrivileges":         {"yes"},
		"CapabilityBoundingSet":   {"CAP_NET_BIND_SERVICE"},
		"AmbientCapabilities":     {"CAP_NET_BIND_SERVICE"},
		"CacheDirectoryMode":      {"0700"}, // the gateway refuses a cache that others can read
		"RestrictAddressFamilies": {"AF_INET AF_INET6 AF_UNIX"},
		"SystemCallFilter":        {"@system-service", "~@privileged"},
		"MemoryDenyWriteExecute":  nil, // see TestPluginsNeedExecutableMemory
		"ProcSubset":              nil,
	} {
		if diff := cmp.Diff(want, u["Service"][key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	cfg, _ := settled(t, "systemd/gateway.toml", "/usr/lib/sallyport/plugins", plugins(t))
	stop, err := time.ParseDuration(u["Service"]["TimeoutStopSec"][0])
	if err != nil || stop <= cfg.Server.DrainDelay+cfg.Server.DrainTimeout {
		t.Errorf("TimeoutStopSec is %v (%v), drain_delay %v, drain_timeout %v", stop, err, cfg.Server.DrainDelay, cfg.Server.DrainTimeout)
	}
	cache := "/var/cache/" + u["Service"]["CacheDirectory"][0]
	if !strings.HasPrefix(cfg.Sandbox.Cache, cache+"/") {
		t.Errorf("the cache is %s, and the unit lets it write to %s", cfg.Sandbox.Cache, cache)
	}
	if logs := "/var/log/" + u["Service"]["LogsDirectory"][0]; filepath.Dir(cfg.Log.Access) != logs {
		t.Errorf("the access log is %s, and the unit lets it write to %s", cfg.Log.Access, logs)
	}
	if rotated := read(t, "systemd/sallyport.logrotate"); !strings.Contains(rotated, cfg.Log.Access+" {") {
		t.Errorf("%s is not what is rotated", cfg.Log.Access)
	}
}

func TestSystemdTakesTheUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze")
	}
	file := filepath.Join(t.TempDir(), "sallyport.service")
	text := strings.ReplaceAll(read(t, "systemd/sallyport.service"), "/usr/bin/sallyport", command(t))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("verify: %v\n%s", err, out)
	}
	// In tenths: what is left are the network, which it is for, and what the unit's comments explain.
	if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=20", file).CombinedOutput(); err != nil {
		t.Errorf("security: %v\n%s", err, out)
	}
}

func TestServiceConfigPassesCheck(t *testing.T) {
	dir := t.TempDir()
	_, text := settled(t, "systemd/gateway.toml", "/usr/lib/sallyport/plugins", plugins(t), "/var/cache/sallyport", dir, "/var/log/sallyport", dir)
	check(t, dir, text)
}

// check runs the check verb on a config.
func check(t *testing.T, dir, text string, env ...string) {
	t.Helper()
	file := filepath.Join(dir, "gateway.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command(t), "check", "-c", file)
	cmd.Env = slices.Concat(os.Environ(), env)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("check: %v\n%s", err, out)
	}
}
