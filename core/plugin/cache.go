package plugin

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero"
)

// cacheAge is how old compiled code grows in the cache before it is dropped; what is still in use is compiled anew.
const cacheAge = 30 * 24 * time.Hour

// codeCache keeps compiled code in memory and, with a directory, on disk.
type codeCache struct {
	dir      string // "" for memory only
	compiled wazero.CompilationCache
}

func openCache(dir string) (*codeCache, error) {
	if dir == "" {
		return &codeCache{compiled: wazero.NewCompilationCache()}, nil
	}
	if err := makePrivate(dir); err != nil {
		return nil, fmt.Errorf("plugin cache: %w", err)
	}
	compiled, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("plugin cache: %w", err)
	}
	c := &codeCache{dir: dir, compiled: compiled}
	limit := time.Now().Add(-cacheAge)
	c.prune(func(info fs.FileInfo) bool { return info.ModTime().Before(limit) })
	return c, nil
}

// makePrivate makes the directory, or checks that nobody but this process's user can have written to it.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory (a link to one is not taken either)", dir)
	case !ok || int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to another user: its files are run as native code; name a directory of your own", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s has mode %#o: its files are run as native code; chmod 700 it", dir, info.Mode().Perm())
	}
	return nil
}

// prune removes the compiled code that is old by the given measure. A file that cannot be removed is left for next time.
func (c *codeCache) prune(old func(fs.FileInfo) bool) {
	_ = filepath.WalkDir(c.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !c.owns(path) {
			return nil
		}
		if info, err := entry.Info(); err == nil && old(info) {
			_ = os.Remove(path)
		}
		return nil
	})
}

// owns reports whether the path is one of the files that the compiler writes: a mistyped directory loses nothing.
func (c *codeCache) owns(path string) bool {
	return strings.HasPrefix(filepath.Base(filepath.Dir(path)), "wazero-")
}

// heal reports whether compiling may go better when it is tried again: a cache file that is damaged, or could not be
// written, fails a compilation that needs neither.
func (c *codeCache) heal(err error) bool {
	if c.dir == "" {
		return false
	}
	if strings.Contains(err.Error(), "compilationcache:") {
		c.prune(func(fs.FileInfo) bool { return true })
	}
	return true
}
