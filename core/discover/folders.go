package discover

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// Folders tells File sources that something has changed beside their files. All share one: systems allow few watchers, of many folders
// each. It watches while there is somebody to tell.
type Folders struct {
	log *slog.Logger

	mu      sync.Mutex
	notify  *fsnotify.Watcher // nil: none
	done    chan struct{}     // closed when notify's goroutine has ended
	waiting map[*waiter]struct{}
}

// waiter is one who wants to be told of changes.
type waiter struct {
	folders []string
	names   []string      // the files
	changed chan struct{} // holds one
}

// NewFolders returns Folders that watch nothing yet.
func NewFolders(log *slog.Logger) *Folders {
	return &Folders{log: log, waiting: map[*waiter]struct{}{}}
}

// watch has changed get a value after what may be a change of one of the files. Folders are watched, not files: editors and Kubernetes
// replace files, and a watch on a file would stay with the one that is gone. stop may be called once.
func (f *Folders) watch(files []string) (changed <-chan struct{}, stop func()) {
	w := &waiter{names: files, changed: make(chan struct{}, 1)}
	for _, file := range files {
		w.folders = append(w.folders, filepath.Dir(file))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting[w] = struct{}{}
	f.open()
	for _, folder := range w.folders {
		if f.notify == nil {
			break
		}
		if err := f.notify.Add(folder); err != nil { // it is looked at now and then all the same
			f.log.Warn("cannot watch a folder", "folder", folder, "error", err)
		}
	}
	return w.changed, func() { f.leave(w) }
}

// open makes a watcher if there is none; the caller holds mu.
func (f *Folders) open() {
	if f.notify != nil {
		return
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		f.log.Warn("files are only looked at now and then", "error", err)
		return
	}
	f.notify, f.done = notify, make(chan struct{})
	go f.run(notify, f.done)
}

// leave forgets w, and closes the watcher, or takes folders from it, that nobody else needs.
func (f *Folders) leave(w *waiter) {
	f.mu.Lock()
	delete(f.waiting, w)
	notify, done, last := f.notify, f.done, len(f.waiting) == 0
	switch {
	case notify == nil:
		last = false
	case last:
		f.notify = nil
	default:
		f.removeUnused(w.folders)
	}
	f.mu.Unlock()
	if last {
		_ = notify.Close() // there is nothing that could fail but the closing of a descriptor
		<-done
	}
}

// removeUnused takes folders that nobody waits for from the watcher; the caller holds mu.
func (f *Folders) removeUnused(folders []string) {
	for _, folder := range folders {
		needed := false
		for other := range f.waiting {
			needed = needed || slices.Contains(other.folders, folder)
		}
		if !needed {
			_ = f.notify.Remove(folder) // it may be gone already, which is as good
		}
	}
}

// run passes events on until the watcher is closed.
func (f *Folders) run(notify *fsnotify.Watcher, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case event, open := <-notify.Events:
			if !open {
				return
			}
			if event.Op != fsnotify.Chmod {
				f.tell(func(w *waiter) bool { return w.concerns(event.Name) })
			}
		case err, open := <-notify.Errors:
			if !open {
				return
			}
			f.log.Warn("watching files", "error", err)
			f.tell(func(*waiter) bool { return true }) // events may have been lost: all are looked at
		}
	}
}

func (f *Folders) tell(concerned func(*waiter) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.waiting {
		if !concerned(w) {
			continue
		}
		select {
		case w.changed <- struct{}{}:
		default: // it has one to read already
		}
	}
}

// concerns leaves out the traffic of other files in the same folder. Kubernetes swaps the link ..data beside the files.
func (w *waiter) concerns(name string) bool {
	if strings.HasPrefix(filepath.Base(name), "..") {
		return slices.Contains(w.folders, filepath.Dir(name))
	}
	return slices.Contains(w.names, filepath.Clean(name)) || slices.Contains(w.folders, filepath.Clean(name))
}
