package reload

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// watchFile runs a watcher over file and returns the count of changes.
func watchFile(t *testing.T, file string, rounds <-chan time.Time) *atomic.Int64 {
	t.Helper()
	changes := &atomic.Int64{}
	ready := make(chan struct{}, 1)
	w := Watcher{
		Config:  filepath.Join(t.TempDir(), "gateway.toml"),
		Plugins: func() []string { return nil },
		Files:   func() []string { return []string{file} },
		Changed: func() { changes.Add(1) },
		Log:     slog.New(slog.DiscardHandler),
		rounds:  rounds,
	}
	w.watching = func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return changes
}

func do(t *testing.T, steps ...error) {
	t.Helper()
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// link puts a link in another's place at once.
func link(t *testing.T, target, name string) {
	t.Helper()
	do(t, os.Symlink(target, name+".new"), os.Rename(name+".new", name))
}

func TestFilesAreWatched(t *testing.T) {
	for _, c := range []struct {
		name            string
		prepare, change func(t *testing.T, dir string) // dir/tls/cert.pem, and change it
	}{
		{
			"written in place",
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, "tls/cert.pem"), "one") },
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, "tls/cert.pem"), time.Now().String()) },
		},
		{
			"another renamed into its place",
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, "tls/cert.pem"), "one") },
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "tls/new"), "two")
				do(t, os.Rename(filepath.Join(dir, "tls/new"), filepath.Join(dir, "tls/cert.pem")))
			},
		},
		{
			"a link into an archive is turned, as certbot does",
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(filepath.Join(dir, "archive"), 0o700))
				write(t, filepath.Join(dir, "archive/cert1.pem"), "one")
				link(t, "../archive/cert1.pem", filepath.Join(dir, "tls/cert.pem"))
			},
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "archive/cert2.pem"), "two")
				link(t, "../archive/cert2.pem", filepath.Join(dir, "tls/cert.pem"))
			},
		},
		{
			"what a link leads to is written",
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(filepath.Join(dir, "archive"), 0o700))
				write(t, filepath.Join(dir, "archive/cert.pem"), "one")
				link(t, "../archive/cert.pem", filepath.Join(dir, "tls/cert.pem"))
			},
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, "archive/cert.pem"), "two") },
		},
		{
			"..data is turned, as Kubernetes does",
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(filepath.Join(dir, "tls/..1"), 0o700))
				write(t, filepath.Join(dir, "tls/..1/cert.pem"), "one")
				link(t, "..1", filepath.Join(dir, "tls/..data"))
				link(t, "..data/cert.pem", filepath.Join(dir, "tls/cert.pem"))
			},
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(filepath.Join(dir, "tls/..2"), 0o700))
				write(t, filepath.Join(dir, "tls/..2/cert.pem"), "two")
				link(t, "..2", filepath.Join(dir, "tls/..data"))
				do(t, os.RemoveAll(filepath.Join(dir, "tls/..1")))
			},
		},
		{
			"it comes with its folder",
			func(t *testing.T, dir string) { do(t, os.Remove(filepath.Join(dir, "tls"))) },
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(filepath.Join(dir, "tls"), 0o700))
				write(t, filepath.Join(dir, "tls/cert.pem"), "one")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			do(t, os.Mkdir(filepath.Join(dir, "tls"), 0o700))
			c.prepare(t, dir)
			changes := watchFile(t, filepath.Join(dir, "tls/cert.pem"), make(chan time.Time))
			c.change(t, dir)
			until(t, "it is noticed", func() bool { return changes.Load() > 0 })
		})
	}
}

// A change that nothing tells of is found on the next round: here a folder's own link is turned.
func TestRounds(t *testing.T) {
	dir := t.TempDir()
	do(t, os.Mkdir(filepath.Join(dir, "v1"), 0o700), os.Mkdir(filepath.Join(dir, "v2"), 0o700), os.Mkdir(filepath.Join(dir, "links"), 0o700))
	write(t, filepath.Join(dir, "v1/cert.pem"), "one")
	write(t, filepath.Join(dir, "v2/cert.pem"), "two, longer")
	link(t, "../v1", filepath.Join(dir, "links/tls"))
	rounds := make(chan time.Time)
	changes := watchFile(t, filepath.Join(dir, "links/tls/cert.pem"), rounds)
	rounds <- time.Time{}
	rounds <- time.Time{} // the first is over
	if n := changes.Load(); n != 0 {
		t.Errorf("%d changes, and nothing was changed", n)
	}
	link(t, "../v2", filepath.Join(dir, "links/tls"))
	rounds <- time.Time{}
	until(t, "it is noticed", func() bool { return changes.Load() == 1 })
}

// TestFilesNamedAtTheStart: what the first change makes known is watched, also when that change came before Run.
func TestFilesNamedAtTheStart(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	cert := filepath.Join(other, "cert.pem")
	changed := make(chan struct{})
	known := false // of the watcher's goroutine
	w := Watcher{
		Config:  filepath.Join(dir, "gateway.toml"),
		Plugins: func() []string { return nil },
		Loaded:  time.Now().Add(-time.Hour),
		Log:     slog.New(slog.DiscardHandler),
		rounds:  make(chan time.Time),
	}
	w.Files = func() []string {
		if known {
			return []string{cert}
		}
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.Changed = func() {
		if known {
			cancel()
			return
		}
		known = true
		write(t, cert, "one")
		close(changed)
	}
	write(t, w.Config, "one")
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, nil) }()
	<-changed
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("waited in vain until the file is noticed")
		cancel()
		<-done
	}
}
