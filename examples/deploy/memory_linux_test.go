package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// denied is set in the process that gives up executable memory and becomes the gateway.
const denied = "SALLYPORT_TEST_DENY_EXECUTABLE"

// What the unit's comment says of MemoryDenyWriteExecute: prctl's MDWE is the kernel's own form of it.
func TestPluginsNeedExecutableMemory(t *testing.T) {
	if os.Getenv(denied) != "" {
		deny()
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "gateway.toml")
	text := "[server]\nlisten = [\"127.0.0.1:0\"]\n[sandbox]\ndir = \"" + plugins(t) + "\"\ncache = \"cache\"\n" +
		"[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 204 }\nfilters = [\"security-headers\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(command(t), "check", "-c", file).CombinedOutput(); err != nil {
		t.Fatalf("without it: %v\n%s", err, out)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPluginsNeedExecutableMemory$")
	cmd.Env = append(os.Environ(), denied+"="+command(t)+" check -c "+file)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "prctl:") {
		t.Skipf("this kernel cannot deny it: %s", out)
	}
	if err == nil || !strings.Contains(string(out), "may not make memory executable") || strings.Contains(string(out), "goroutine ") {
		t.Errorf("with it: got %v\n%s", err, out)
	}
}

// deny does not return.
func deny() {
	if err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); err != nil {
		os.Stderr.WriteString("prctl: " + err.Error())
		os.Exit(1)
	}
	args := strings.Fields(os.Getenv(denied))
	os.Stderr.WriteString(syscall.Exec(args[0], args, os.Environ()).Error())
	os.Exit(1)
}
