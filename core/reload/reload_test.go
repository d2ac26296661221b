package reload

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watch runs a watcher over a folder with gateway.toml and a plugin folder, and returns the folder and the count of changes.
func watch(t *testing.T, force <-chan struct{}) (dir string, changes *atomic.Int64) {
	t.Helper()
	dir, changes = t.TempDir(), &atomic.Int64{}
	write(t, filepath.Join(dir, "gateway.toml"), "one")
	ready := make(chan struct{}, 1)
	w := Watcher{
		Config:  filepath.Join(dir, "gateway.toml"),
		Plugins: func() []string { return []string{filepath.Join(dir, "plugins")} },
		Changed: func() { changes.Add(1) },
		Log:     slog.New(slog.DiscardHandler),
	}
	w.watching = func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, force) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return dir, changes
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestChangesAreNoticed(t *testing.T) {
	dir, changes := watch(t, nil)
	plugins := filepath.Join(dir, "plugins")
	steps := []struct {
		name string
		do   func() error
	}{
		{"the config is written", func() error { write(t, filepath.Join(dir, "gateway.toml"), "two"); return nil }},
		{"the config is replaced", func() error {
			write(t, filepath.Join(dir, "aside"), "three")
			return os.Rename(filepath.Join(dir, "aside"), filepath.Join(dir, "gateway.toml"))
		}},
		{"a plugin is dropped into a new folder", func() error {
			if err := os.Mkdir(plugins, 0o755); err != nil {
				return err
			}
			write(t, filepath.Join(plugins, "p.wasm"), "x")
			return nil
		}},
		{"a plugin is replaced", func() error {
			write(t, filepath.Join(plugins, "p.new"), "y")
			return os.Rename(filepath.Join(plugins, "p.new"), filepath.Join(plugins, "p.wasm"))
		}},
		{"a plugin is removed", func() error { return os.Remove(filepath.Join(plugins, "p.wasm")) }},
	}
	for _, step := range steps {
		before := changes.Load()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		until(t, step.name, func() bool { return changes.Load() > before })
	}
}

// What is written while the folder that holds it is not watched yet is noticed all the same: here no event can tell of it.
func TestAFolderFilledBeforeItIsWatched(t *testing.T) {
	config, plugins := filepath.Join(t.TempDir(), "gateway.toml"), t.TempDir()
	write(t, config, "one")
	var named []string // what the config names; Run's goroutine alone uses it
	changes := make(chan []string, 8)
	w := Watcher{Config: config, Plugins: func() []string { return named }, Log: slog.New(slog.DiscardHandler)}
	w.Changed = func() {
		changes <- slices.Clone(named)
		if named == nil {
			named = []string{plugins}
			write(t, filepath.Join(plugins, "p.wasm"), "x")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	force := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, force) }()
	force <- struct{}{}
	for want := range [][]string{nil, {plugins}} {
		select {
		case <-changes:
		case <-time.After(30 * time.Second):
			t.Fatalf("change %d was not noticed", want+1)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// What was written between the first reading and Run is a change.
func TestChangedBeforeRun(t *testing.T) {
	dir := t.TempDir()
	w := Watcher{Config: filepath.Join(dir, "gateway.toml"), Plugins: func() []string { return nil }, Loaded: time.Now().Add(-time.Hour), Log: slog.New(slog.DiscardHandler)}
	write(t, w.Config, "one")
	ctx, cancel := context.WithCancel(context.Background())
	w.Changed = cancel
	if err := w.Run(ctx, nil); err != nil {
		t.Error(err)
	}
}

// While a config is refused its files are watched beside those of the one in force: mostly the same.
func TestFilesNamedTwiceAreNoChange(t *testing.T) {
	dir := t.TempDir()
	once := []string{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	for _, path := range append([]string{filepath.Join(dir, "plugin.wasm")}, once...) {
		write(t, path, "one")
	}
	plugins := []string{dir}
	w := Watcher{Config: filepath.Join(dir, "gateway.toml"), Plugins: func() []string { return plugins }, Files: func() []string { return once }}
	before := w.state()
	once, plugins = append(once, once...), append(plugins, dir, filepath.Join(dir, "plugin.wasm"))
	if after := w.state(); after != before {
		t.Errorf("got %q, want %q", after, before)
	}
}

func TestManyWritesAreOneChange(t *testing.T) {
	dir, changes := watch(t, nil)
	for range 200 {
		write(t, filepath.Join(dir, "gateway.toml"), time.Now().String())
	}
	until(t, "the change is noticed", func() bool { return changes.Load() > 0 })
	if n := changes.Load(); n > 20 {
		t.Errorf("200 writes were %d changes", n)
	}
}

func TestConcerns(t *testing.T) {
	w := Watcher{Config: "/etc/sallyport/gateway.toml", Plugins: func() []string { return []string{"/var/plugins", "/opt/one.wasm"} }}
	tests := []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"/etc/sallyport/gateway.toml", fsnotify.Write, true},
		{"/etc/sallyport/gateway.toml", fsnotify.Chmod, false},
		{"/etc/sallyport/access.log", fsnotify.Write, false},
		{"/etc/sallyport/.gateway.toml.swp", fsnotify.Create, false},
		{"/etc/sallyport/..data", fsnotify.Create, true}, // as Kubernetes swaps a mounted folder
		{"/var/plugins/a.wasm", fsnotify.Rename, true},
		{"/var/plugins/a.new", fsnotify.Create, false},
		{"/var/plugins", fsnotify.Create, true},
		{"/opt/one.wasm", fsnotify.Remove, true},
	}
	for _, test := range tests {
		if got := w.concerns(fsnotify.Event{Name: test.name, Op: test.op}); got != test.want {
			t.Errorf("%s %s: got %v, want %v", test.op, test.name, got, test.want)
		}
	}
}

func TestForce(t *testing.T) {
	force := make(chan struct{})
	_, changes := watch(t, force)
	force <- struct{}{}
	until(t, "it is done", func() bool { return changes.Load() == 1 })
}

// A file that was written right after it was read may have a time from before that.
func TestIsNewer(t *testing.T) {
	loaded := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "gateway.toml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := Watcher{Config: file, Plugins: func() []string { return nil }, Loaded: loaded}
	for _, tt := range []struct {
		name    string
		written time.Time
		want    bool
	}{
		{"long before", loaded.Add(-time.Second), false},
		{"a tick of the kernel before", loaded.Add(-4 * time.Millisecond), true},
		{"after", loaded.Add(time.Millisecond), true},
	} {
		if err := os.Chtimes(file, tt.written, tt.written); err != nil {
			t.Fatal(err)
		}
		if got := w.isNewer(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
