package project

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// golang builds a plugin in Go.
func (b *build) golang() ([]byte, error) {
	if err := b.goToolchain(); err != nil {
		return nil, err
	}
	var err error
	if b.name, err = goName(b.dir); err != nil {
		return nil, err
	}
	return temporary(func(file string) error {
		if b.Toolchain == "tinygo" {
			return b.run(nil, "tinygo", "build", "-target=wasm-unknown", "-opt=s", "-gc=precise", "-scheduler=none", "-no-debug", "-buildmode=c-shared", "-o", file, ".")
		}
		return b.run([]string{"GOOS=wasip1", "GOARCH=wasm"}, "go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags=-w", "-o", file, ".")
	})
}

// goToolchain chooses, and says what is missing.
func (b *build) goToolchain() error {
	_, noTinyGo := exec.LookPath("tinygo")
	_, noGo := exec.LookPath("go")
	switch {
	case b.Toolchain == "" && noTinyGo == nil:
		b.Toolchain = "tinygo"
	case b.Toolchain == "":
		b.Toolchain = "go"
	}
	switch {
	case b.Toolchain == "tinygo" && noTinyGo != nil:
		return errors.New("there is no tinygo on PATH: https://tinygo.org/getting-started/install tells how to get it; --toolchain go does without")
	case noGo != nil && b.Toolchain == "tinygo":
		return errors.New("there is a tinygo on PATH, but it needs go, and there is none: https://go.dev/dl")
	case noGo != nil:
		return errors.New("there is neither tinygo nor go on PATH: one of them builds plugins in Go. Get Go 1.25 or later from https://go.dev/dl; https://tinygo.org makes smaller files")
	case b.Toolchain != "tinygo" && b.Toolchain != "go":
		return fmt.Errorf("--toolchain %s: tinygo and go are known", b.Toolchain)
	}
	return nil
}

// goName is the plugin's name: the last part of its module's path, or its folder's name where the module holds several.
func goName(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if module, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
				return stem(strings.Trim(strings.TrimSpace(module), `"`)), nil
			}
		}
	}
	folder, err := filepath.Abs(dir)
	return stem(folder), err
}
