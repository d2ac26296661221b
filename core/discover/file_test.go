package discover

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func do(t testing.TB, steps ...error) {
	t.Helper()
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t testing.TB, file, text string) {
	t.Helper()
	do(t, os.WriteFile(file, []byte(text), 0o600))
}

// link puts a link in another's place at once.
func link(t testing.TB, target, name string) {
	t.Helper()
	do(t, os.Symlink(target, name+".new"), os.Rename(name+".new", name))
}

// until waits for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// watched returns a feed of a file, after its first look.
func watched(t testing.TB, folders *Folders, file string) *Feed {
	t.Helper()
	f := Start(&File{Path: file, Folders: folders}, nil, slog.New(slog.DiscardHandler))
	t.Cleanup(f.Close)
	f.Await(t.Context())
	return f
}

// sees waits until the feed has these endpoints.
func sees(t testing.TB, f *Feed, addresses ...string) {
	t.Helper()
	until(t, fmt.Sprintf("the endpoints are %v", addresses), func() bool { return slices.Equal(f.State().Endpoints, at(addresses...)) })
}

func failsWith(t testing.TB, f *Feed, text string) {
	t.Helper()
	until(t, "the feed fails with "+text, func() bool { return strings.Contains(f.State().Error, text) })
}

func TestFile(t *testing.T) {
	const one, two = `endpoints = ["a:1"]`, `endpoints = ["a:1", "b:1"]`
	for _, c := range []struct {
		name            string
		prepare, change func(t *testing.T, dir string) // dir/run/e.toml has one, and then two
	}{
		{
			"written in place",
			func(t *testing.T, dir string) { write(t, dir+"/run/e.toml", one) },
			func(t *testing.T, dir string) { write(t, dir+"/run/e.toml", two) },
		},
		{
			"another renamed into its place",
			func(t *testing.T, dir string) { write(t, dir+"/run/e.toml", one) },
			func(t *testing.T, dir string) {
				write(t, dir+"/run/new", two)
				do(t, os.Rename(dir+"/run/new", dir+"/run/e.toml"))
			},
		},
		{
			"a link is turned",
			func(t *testing.T, dir string) {
				write(t, dir+"/1.toml", one)
				link(t, "../1.toml", dir+"/run/e.toml")
			},
			func(t *testing.T, dir string) {
				write(t, dir+"/2.toml", two)
				link(t, "../2.toml", dir+"/run/e.toml")
			},
		},
		{
			"what a link leads to is written",
			func(t *testing.T, dir string) {
				write(t, dir+"/1.toml", one)
				link(t, "../1.toml", dir+"/run/e.toml")
			},
			func(t *testing.T, dir string) { write(t, dir+"/1.toml", two) },
		},
		{
			"..data is turned, as Kubernetes does",
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(dir+"/run/..1", 0o700))
				write(t, dir+"/run/..1/e.toml", one)
				link(t, "..1", dir+"/run/..data")
				link(t, "..data/e.toml", dir+"/run/e.toml")
			},
			func(t *testing.T, dir string) {
				do(t, os.Mkdir(dir+"/run/..2", 0o700))
				write(t, dir+"/run/..2/e.toml", two)
				link(t, "..2", dir+"/run/..data")
				do(t, os.RemoveAll(dir+"/run/..1"))
			},
		},
		{
			"it is removed and comes again",
			func(t *testing.T, dir string) { write(t, dir+"/run/e.toml", one) },
			func(t *testing.T, dir string) {
				do(t, os.Remove(dir+"/run/e.toml"))
				write(t, dir+"/run/e.toml", two)
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			do(t, os.Mkdir(dir+"/run", 0o700))
			c.prepare(t, dir)
			f := watched(t, NewFolders(slog.New(slog.DiscardHandler)), dir+"/run/e.toml")
			sees(t, f, "a:1")
			c.change(t, dir)
			sees(t, f, "a:1", "b:1")
			if s := f.State(); s.Error != "" || s.Kind != "file" || s.Name != dir+"/run/e.toml" {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// A file that is wrong, half-written or gone leaves the last endpoints.
func TestFileFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "e.json")
	f := watched(t, NewFolders(slog.New(slog.DiscardHandler)), file)
	failsWith(t, f, "no such file")
	write(t, file, `["a:1"]`)
	sees(t, f, "a:1")
	write(t, file, `["a:1", "b:`)
	failsWith(t, f, "no valid JSON")
	do(t, os.Truncate(file, 0))
	failsWith(t, f, "EOF")
	do(t, os.Remove(file))
	failsWith(t, f, "no such file")
	do(t, os.Mkdir(file, 0o700))
	failsWith(t, f, "no regular file")
	sees(t, f, "a:1")
	do(t, os.Remove(file))
	write(t, file, strings.Repeat(" ", maxFile+1))
	failsWith(t, f, "larger than")
	write(t, file, `[]`)
	sees(t, f)
	if s := f.State(); s.Changes != 2 || s.Failures < 5 {
		t.Errorf("got %+v", s)
	}
}

// The folder of a file may come after the gateway has begun to look for it. Nothing tells of that, but it is looked at now and then.
func TestFileRounds(t *testing.T) {
	dir := t.TempDir()
	source := &File{Path: dir + "/run/e.toml", Folders: NewFolders(slog.New(slog.DiscardHandler))}
	ctx, cancel := context.WithCancel(context.Background())
	rounds, lists := make(chan time.Time), make(chan told, 10)
	source.rounds = rounds
	done := make(chan struct{})
	go func() {
		defer close(done)
		source.Watch(ctx, func(list []Endpoint, err error) { lists <- told{list, err} })
	}()
	if got := <-lists; got.err == nil {
		t.Error("there is no file, and no error")
	}
	do(t, os.Mkdir(dir+"/run", 0o700))
	write(t, dir+"/run/e.toml", `endpoints = ["a:1"]`)
	rounds <- time.Time{}
	if got := <-lists; !slices.Equal(got.list, at("a:1")) {
		t.Errorf("got %v", got)
	}
	cancel()
	<-done
}

// A file that could not be read is tried again though it has not changed: it may be allowed by now.
// (A folder stands in for it, since root may read everything.)
func TestFileIsTriedAgain(t *testing.T) {
	file := t.TempDir() + "/e.toml"
	do(t, os.Mkdir(file, 0o700))
	source := &File{Path: file, Folders: NewFolders(slog.New(slog.DiscardHandler))}
	rounds, lists := make(chan time.Time), make(chan told, 10)
	source.rounds = rounds
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		source.Watch(ctx, func(list []Endpoint, err error) { lists <- told{list, err} })
	}()
	for range 3 {
		if got := <-lists; got.err == nil {
			t.Error("it is no file, and no error")
		}
		rounds <- time.Time{}
	}
	cancel()
	<-done
}

// TestFoldersAreShared: many files cost one watcher, which is there only while somebody needs it.
func TestFoldersAreShared(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	folders := NewFolders(slog.New(slog.DiscardHandler))
	dirs := []string{t.TempDir(), t.TempDir()}
	var feeds []*Feed
	for i := range 20 {
		file := fmt.Sprintf("%s/%d.toml", dirs[i%2], i)
		write(t, file, `endpoints = ["a:1"]`)
		feeds = append(feeds, watched(t, folders, file))
	}
	if got := len(folders.notify.WatchList()); got != 2 {
		t.Errorf("%d folders are watched, want 2", got)
	}
	for i, f := range feeds {
		if i%2 == 1 {
			f.Close()
		}
	}
	if got := folders.notify.WatchList(); len(got) != 1 || got[0] != dirs[0] {
		t.Errorf("%v are watched, want %s", got, dirs[0])
	}
	write(t, dirs[0]+"/0.toml", `endpoints = ["b:1"]`)
	sees(t, feeds[0], "b:1")
	sees(t, feeds[2], "a:1")
	for i, f := range feeds {
		if i%2 == 0 {
			f.Close()
		}
	}
	if folders.notify != nil {
		t.Error("it watches, and there is nobody to tell")
	}
	until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// TestFoldersHammer: who waits comes and goes while files change.
func TestFoldersHammer(t *testing.T) {
	folders := NewFolders(slog.New(slog.DiscardHandler))
	dirs := []string{t.TempDir(), t.TempDir()}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			file := fmt.Sprintf("%s/%d", dirs[i%2], i)
			for range 50 {
				changed, stop := folders.watch([]string{file})
				write(t, file, "x")
				<-changed
				stop()
			}
		})
	}
	group.Wait()
	if len(folders.waiting) != 0 || folders.notify != nil {
		t.Errorf("%d are waiting, watcher %v", len(folders.waiting), folders.notify)
	}
}
