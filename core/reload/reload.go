// Package reload watches gateway.toml, the plugin folders and other files and says when they have changed and come to rest.
package reload

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Files are read once their sizes and times have not changed for rest, at the latest after patience: an editor
// writes twice, a copy takes its time, and a file that is appended to for ever must not hold up the others.
const (
	rest     = 50 * time.Millisecond
	patience = time.Second
	// round is how often everything is looked at though nothing was told: not every file system tells, and a link far up the path may
	// have been changed.
	round = 30 * time.Second
	// tick is how far the time that a file gets may lag behind the clock: the kernel takes that of its last tick.
	tick = 10 * time.Millisecond
)

// Watcher calls Changed after each change of what it watches. Run it from one goroutine.
type Watcher struct {
	// Config is the path of gateway.toml.
	Config string
	// Plugins returns the folders and files that the current generation's plugins come from; asked after each change.
	Plugins func() []string
	// Files returns other files that the current generation was read from, such as certificates; asked after each change. nil: none.
	Files func() []string
	// Changed is called, from Run's goroutine, when files have changed and rest.
	Changed func()
	// Loaded is when reading the current files began: what was changed from then on is a change. Zero: what is there when Run begins is known.
	Loaded time.Time
	Log    *slog.Logger

	seen string // the state of the files when Changed was last called

	watching func()           // told when the folders are watched; for tests
	rounds   <-chan time.Time // instead of a ticker; for tests
}

// Run watches until ctx ends. Force makes Changed be called at once for each value received (SIGHUP, the admin API).
func (w *Watcher) Run(ctx context.Context, force <-chan struct{}) error {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer notify.Close()
	w.watchFolders(notify)
	w.seen = w.state()
	if w.isNewer() {
		w.settle(ctx, notify)
		w.catchUp(ctx, notify)
	}
	rounds, stop := w.ticks()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-force:
			w.change()
		case err := <-notify.Errors:
			w.Log.Warn("watching files", "error", err)
			w.settle(ctx, notify) // events may have been lost: look at everything
		case <-rounds:
			if w.state() == w.seen {
				continue
			}
			w.settle(ctx, notify)
		case event := <-notify.Events:
			if !w.concerns(event) {
				continue
			}
			w.settle(ctx, notify)
		}
		w.catchUp(ctx, notify)
	}
}

// catchUp watches what the last change has made known. A folder that has just appeared may have been filled before it was watched.
func (w *Watcher) catchUp(ctx context.Context, notify *fsnotify.Watcher) {
	w.watchFolders(notify)
	for ctx.Err() == nil && w.state() != w.seen {
		w.settle(ctx, notify)
		w.watchFolders(notify)
	}
}

func (w *Watcher) ticks() (<-chan time.Time, func()) {
	if w.rounds != nil {
		return w.rounds, func() {}
	}
	ticker := time.NewTicker(round)
	return ticker.C, ticker.Stop
}

// change reports what is there now; a change from here on is another one.
func (w *Watcher) change() {
	w.seen = w.state()
	w.Changed()
}

// isNewer reports whether a file was written after Loaded, and so perhaps after it was read.
func (w *Watcher) isNewer() bool {
	if w.Loaded.IsZero() {
		return false
	}
	for _, file := range w.files() {
		if info, err := os.Stat(file); err == nil && !info.ModTime().Before(w.Loaded.Add(-tick)) {
			return true
		}
	}
	return false
}

// settle waits until the files rest, then reports the change.
func (w *Watcher) settle(ctx context.Context, notify *fsnotify.Watcher) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(rest)
	defer look.Stop()
	before := w.state()
	for waiting := true; waiting; {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			waiting = false
		case <-notify.Events:
		case <-look.C:
			now := w.state()
			waiting = now != before
			before = now
		}
	}
	w.change()
}

// watchFolders watches folders, not files: editors and Kubernetes replace files, and a watch on a file would stay with
// the one that is gone.
func (w *Watcher) watchFolders(notify *fsnotify.Watcher) {
	wanted := w.folders()
	for _, folder := range notify.WatchList() {
		if !slices.Contains(wanted, folder) {
			_ = notify.Remove(folder) // it may be gone already, which is as good
		}
	}
	for _, folder := range wanted {
		if err := notify.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.Log.Warn("cannot watch a folder", "folder", folder, "error", err)
		}
	}
	if w.watching != nil {
		w.watching()
	}
}

// folders are those that hold the config and the plugins, and a missing plugin folder's nearest parent that exists, so
// that its making is seen.
func (w *Watcher) folders() []string {
	folders := []string{filepath.Dir(w.Config)}
	for _, file := range w.single() {
		folders = append(folders, existing(filepath.Dir(file)))
	}
	for _, path := range w.Plugins() {
		folder := path
		if strings.HasSuffix(path, ".wasm") {
			folder = filepath.Dir(path)
		}
		folders = append(folders, existing(folder))
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// existing returns folder or its nearest parent that exists.
func existing(folder string) string {
	for !isFolder(folder) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
	}
	return folder
}

// single are the files, and those that links among them lead to: either may be replaced.
func (w *Watcher) single() []string {
	if w.Files == nil {
		return nil
	}
	files := slices.Clone(w.Files())
	for _, file := range files {
		if target, err := filepath.EvalSymlinks(file); err == nil && target != file {
			files = append(files, target)
		}
	}
	return files
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// concerns leaves out the traffic of other files in the same folders (logs, editors' swap files).
func (w *Watcher) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	name := filepath.Clean(event.Name)
	if name == filepath.Clean(w.Config) || strings.HasSuffix(name, ".wasm") {
		return true
	}
	// Kubernetes swaps the link ..data beside the files; a plugin folder may itself come or go.
	return strings.HasPrefix(filepath.Base(name), "..") || slices.ContainsFunc(append(w.single(), w.Plugins()...), func(path string) bool {
		return path == name || strings.HasPrefix(path, name+string(filepath.Separator))
	})
}

// state is a picture of the watched files' sizes and times.
func (w *Watcher) state() string {
	var b strings.Builder
	for _, file := range w.files() {
		if info, err := os.Stat(file); err == nil {
			b.WriteString(file + info.ModTime().String() + info.Mode().String() + strconv.FormatInt(info.Size(), 10))
		}
	}
	return b.String()
}

// files are the config, all plugins and the other files, each once: that a refused config names them, too, is no change.
func (w *Watcher) files() []string {
	files := append([]string{w.Config}, w.single()...)
	for _, path := range w.Plugins() {
		if strings.HasSuffix(path, ".wasm") {
			files = append(files, path)
			continue
		}
		inside, _ := filepath.Glob(filepath.Join(path, "*.wasm")) // the pattern is a constant: it cannot be malformed
		files = append(files, inside...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}
