package project

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Newer returns a source file in dir, or in a folder of it, that has changed since the module was built; "" if there is none, or no module.
func Newer(dir, module string) (file string) {
	built, err := os.Stat(module)
	if err != nil {
		return ""
	}
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read is for the compiler to tell
		case entry.IsDir() && entry.Name() == "target":
			return filepath.SkipDir
		case !isSource(path):
			return nil
		}
		if info, err := entry.Info(); err == nil && info.ModTime().After(built.ModTime()) {
			file = path
			return fs.SkipAll
		}
		return nil
	})
	return file
}

func isSource(file string) bool {
	switch filepath.Ext(file) {
	case ".go", ".mod", ".rs":
		return true
	}
	return filepath.Base(file) == "Cargo.toml"
}
