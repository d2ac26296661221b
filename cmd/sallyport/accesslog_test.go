package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest"
)

// After SIGUSR1 lines go into a new file, and those of before are in the one that was moved away.
func TestSignalReopensTheAccessLog(t *testing.T) {
	r := launch(t, static("one"))
	dir := filepath.Dir(r.file)
	text, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `access = "stdout"`, `access = "access.log"`, 1)
	r.save(changed)
	file, moved := filepath.Join(dir, "access.log"), filepath.Join(dir, "access.log.1")
	// asked sends requests until a line of one is in the file: a moment passes between its making and its use.
	asked := func(path, query string) func() bool {
		return func() bool {
			_, _ = r.get("http://" + r.addr + "/?" + query)
			data, err := os.ReadFile(path)
			return err == nil && strings.Contains(string(data), `"query":"`+query+`"`)
		}
	}
	gatewaytest.Until(t, "the file is used", asked(file, "first"))
	_, _ = r.get("http://" + r.addr + "/?before")
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "the new file is used", asked(file, "after"))
	var all string
	for _, path := range []string{moved, file} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	if got := strings.Count(all, `"query":"before"`); got != 1 {
		t.Errorf("the request of before has %d lines, want 1", got)
	}
}
