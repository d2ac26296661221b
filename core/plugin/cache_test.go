package plugin

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cacheFiles returns the files of compiled code.
func cacheFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wazero-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// loadIn loads a module in a Host of its own with that cache.
func loadIn(t *testing.T, dir string) {
	t.Helper()
	h, err := NewHost(context.Background(), HostOptions{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	configure(t, load(t, h, "bare", Limits{}), nil)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func TestCacheIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "cache")
	loadIn(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want mode 0700", info.Mode(), err)
	}
	if got := len(cacheFiles(t, dir)); got != 1 {
		t.Errorf("%d files, want 1", got)
	}
}

func TestCacheRefused(t *testing.T) {
	tests := []struct {
		name string
		make func(dir string) error
		want string
	}{
		{"open to others", func(dir string) error { return os.Mkdir(dir, 0o755) }, "has mode 0755: its files are run as native code; chmod 700 it"},
		{"a link", func(dir string) error { return os.Symlink(os.TempDir(), dir) }, "is not a directory"},
		{"a file", func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "not a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			if err := tt.make(dir); err != nil {
				t.Fatal(err)
			}
			_, err := NewHost(context.Background(), HostOptions{CacheDir: dir})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCacheOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	_, err := NewHost(context.Background(), HostOptions{CacheDir: dir})
	if err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("got %v", err)
	}
}

func TestDamagedCacheHeals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	loadIn(t, dir)
	file := cacheFiles(t, dir)[0]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 3, len(whole) / 2} {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		loadIn(t, dir)
		if healed, err := os.ReadFile(file); err != nil || len(healed) != len(whole) {
			t.Errorf("after a cut to %d bytes there are %d of %d: %v", n, len(healed), len(whole), err)
		}
	}
}

func TestOldCodeIsPruned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	loadIn(t, dir)
	file := cacheFiles(t, dir)[0]
	foreign := filepath.Join(dir, "not-ours")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-cacheAge - time.Hour)
	for _, name := range []string{file, foreign} {
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
	cache, err := openCache(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := cache.compiled.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("old code is still there: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("a file that is not ours: %v", err)
	}
}

func TestNoCacheDirectory(t *testing.T) {
	loadIn(t, "")
	c := &codeCache{}
	c.prune(func(fs.FileInfo) bool { t.Error("something to prune"); return false })
}
