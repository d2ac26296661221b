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

	mu     sync.Mutex        // held while folders are added and removed; before telling
	notify *fsnotify.Watcher // nil: none
	done   chan struct{}     // closed when notify's goroutine has ended

	telling sync.Mutex // not held while notify is used: that may wait until its events are taken
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
	f.telling.Lock()
	f.waiting[w] = struct{}{}
	f.telling.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
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
	defer f.mu.Unlock()
	unused, last := f.forget(w)
	switch {
	case f.notify == nil:
	case last:
		_ = f.notify.Close() // there is nothing that could fail but the closing of a descriptor
		<-f.done
		f.notify = nil
	default:
		for _, folder := range unused {
			_ = f.notify.Remove(folder) // it may be gone already, which is as good
		}
	}
}

// forget returns those of w's folders that nobody else waits for, and whether nobody waits at all.
func (f *Folders) forget(w *waiter) (unused []string, last bool) {
	f.telling.Lock()
	defer f.telling.Unlock()
	delete(f.waiting, w)
	for _, folder := range w.folders {
		needed := false
		for other := range f.waiting {
			needed = needed || slices.Contains(other.folders, folder)
		}
		if !needed {
			unused = append(unused, folder)
		}
	}
	return unused, len(f.waiting) == 0
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
	f.telling.Lock()
	defer f.telling.Unlock()
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
