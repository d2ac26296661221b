package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// account writes a process's files as /proc has them.
func account(t *testing.T, proc string, pid, parent int, name string, threads ...string) {
	t.Helper()
	dir := filepath.Join(proc, strconv.Itoa(pid))
	stat := strconv.Itoa(pid) + " (" + name + ") S " + strconv.Itoa(parent) + " 1 1 0 -1\n"
	for i, spent := range threads {
		task := filepath.Join(dir, "task", strconv.Itoa(pid+i))
		if err := os.MkdirAll(task, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(task, "schedstat"), []byte(spent+" 17 4\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCPUSumsTheWholeTree(t *testing.T) {
	proc := t.TempDir()
	account(t, proc, 10, 1, "nginx: master", "1000")
	account(t, proc, 20, 10, "a) S 99 (b", "200000", "3000000")
	account(t, proc, 30, 20, "grandchild", "40")
	account(t, proc, 40, 1, "stranger", "999999999")
	got, err := procs(proc).cpu(10)
	if want := 3_201_040 * time.Nanosecond; err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := procs(proc).cpu(50); err == nil {
		t.Error("a process that is not there: got no error")
	}
}

func TestCPUOfThisProcessGrows(t *testing.T) {
	before, err := procs("/proc").cpu(os.Getpid())
	if err != nil {
		t.Skip("this system keeps no such accounts:", err)
	}
	for began, after := time.Now(), before; after == before; {
		if after, err = procs("/proc").cpu(os.Getpid()); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("ten seconds of work did not show")
		}
	}
}
