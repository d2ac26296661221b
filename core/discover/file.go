package discover

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A file is read once its size and time have not changed for rest, at the latest after patience: who writes it takes its time. It is
// looked at every round though nothing was told: not every file system tells.
const (
	rest     = 50 * time.Millisecond
	patience = time.Second
	round    = 10 * time.Second
)

// maxFile is the most bytes that a file may have.
const maxFile = 4 << 20

// File is a Source: a list of endpoints in TOML, or in JSON if the name ends so. A file that cannot be read, or is wrong, is a failure; an
// empty list is a list.
type File struct {
	Path    string   // absolute
	Folders *Folders // tells of changes

	rounds <-chan time.Time // instead of a ticker; for tests
}

// Identity is part of Source.
func (s *File) Identity() Identity { return Identity{"file", s.Path} }

// Watch is part of Source.
func (s *File) Watch(ctx context.Context, found func([]Endpoint, error)) {
	changed, stop := s.Folders.watch(s.paths())
	defer func() { stop() }()
	rounds, stopRounds := s.ticks()
	defer stopRounds()
	seen := s.state()
	failed := s.tell(found)
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-rounds:
		}
		if s.state() == seen && !failed { // what failed may be allowed by now
			continue
		}
		s.rest(ctx)
		stop() // a link may lead elsewhere now
		changed, stop = s.Folders.watch(s.paths())
		seen = s.state()
		if ctx.Err() == nil {
			failed = s.tell(found)
		}
	}
}

func (s *File) tell(found func([]Endpoint, error)) (failed bool) {
	list, err := s.read()
	found(list, err)
	return err != nil
}

func (s *File) ticks() (<-chan time.Time, func()) {
	if s.rounds != nil {
		return s.rounds, func() {}
	}
	ticker := time.NewTicker(round)
	return ticker.C, ticker.Stop
}

// paths are the file, and what it leads to if it is a link: either may be replaced.
func (s *File) paths() []string {
	if target, err := filepath.EvalSymlinks(s.Path); err == nil && target != s.Path {
		return []string{s.Path, target}
	}
	return []string{s.Path}
}

// rest waits until the file does.
func (s *File) rest(ctx context.Context) {
	before := s.state()
	for range patience / rest {
		if !wait(ctx, rest) {
			return
		}
		now := s.state()
		if now == before {
			return
		}
		before = now
	}
}

// fileState is a picture of a file that changes with it.
type fileState struct {
	target string
	size   int64
	time   time.Time
}

func (s *File) state() fileState {
	target, err := filepath.EvalSymlinks(s.Path)
	if err != nil {
		return fileState{}
	}
	info, err := os.Stat(target)
	if err != nil {
		return fileState{}
	}
	return fileState{target, info.Size(), info.ModTime()}
}

func (s *File) read() ([]Endpoint, error) {
	f, err := openRegular(s.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("the file is larger than %d bytes", maxFile)
	case filepath.Ext(s.Path) == ".json":
		return readJSON(data)
	}
	return readTOML(data)
}

// openRegular opens a file that can be read to its end. It does not wait for whoever writes to a pipe.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
