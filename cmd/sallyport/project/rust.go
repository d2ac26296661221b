package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// cargo is a cargo with a rustc that can build for WebAssembly.
type cargo struct {
	program, rustc, target string
}

var errNoCargo = errors.New("there is no cargo on PATH: https://rustup.rs installs it, then: rustup target add wasm32-unknown-unknown (on Debian: apt install cargo libstd-rust-dev-wasm32 lld)")

// rust builds a plugin in Rust.
func (b *build) rust() ([]byte, error) {
	if b.Toolchain != "" {
		return nil, fmt.Errorf("--toolchain %s is for plugins in Go, and %s has a Cargo.toml", b.Toolchain, b.dir)
	}
	c, err := findCargo()
	if err != nil {
		return nil, err
	}
	crate, err := c.describe(b.dir)
	if err != nil {
		return nil, err
	}
	b.name, b.Toolchain = crate.name, "cargo for "+c.target
	if err := b.run([]string{"RUSTC=" + c.rustc}, c.program, "build", "--quiet", "--release", "--target", c.target); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(crate.output, c.target, "release", strings.ReplaceAll(crate.library, "-", "_")+".wasm"))
}

// findCargo looks at the cargo on PATH and at the system's: the one that comes first need not be the one that can.
func findCargo() (*cargo, error) {
	first, err := exec.LookPath("cargo")
	if err != nil {
		return nil, errNoCargo
	}
	for _, dir := range []string{filepath.Dir(first), "/usr/bin"} {
		c := &cargo{program: filepath.Join(dir, "cargo"), rustc: filepath.Join(dir, "rustc")}
		for _, c.target = range []string{"wasm32-unknown-unknown", "wasm32-wasip1"} {
			if c.canBuild() {
				return c, nil
			}
		}
	}
	return nil, fmt.Errorf("%s cannot build for WebAssembly: rustup target add wasm32-unknown-unknown (on Debian: apt install cargo libstd-rust-dev-wasm32 lld)", first)
}

// canBuild reports whether there is a standard library for the target.
func (c *cargo) canBuild() bool {
	if _, err := os.Stat(c.program); err != nil {
		return false
	}
	libraries, err := exec.Command(c.rustc, "--print", "target-libdir", "--target", c.target).Output()
	if err != nil {
		return false
	}
	found, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(libraries)), "libstd-*.rlib")) // a pattern that can be malformed only by the path
	return len(found) > 0
}

// crate is what cargo knows of a plugin.
type crate struct {
	name, library, output string
}

func (c *cargo) describe(dir string) (*crate, error) {
	cmd := exec.Command(c.program, "metadata", "--no-deps", "--format-version", "1")
	cmd.Dir = dir
	text, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %s", filepath.Join(dir, "Cargo.toml"), strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, err
	}
	return readCrate(dir, text)
}

// readCrate finds the package of the folder in what cargo metadata prints.
func readCrate(dir string, text []byte) (*crate, error) {
	var metadata struct {
		Packages []struct {
			Name     string
			Manifest string `json:"manifest_path"`
			Targets  []struct {
				Name  string
				Kinds []string `json:"crate_types"`
			}
		}
		Output string `json:"target_directory"`
	}
	if err := json.Unmarshal(text, &metadata); err != nil {
		return nil, fmt.Errorf("cargo metadata: %w", err)
	}
	manifest, err := filepath.Abs(filepath.Join(dir, "Cargo.toml"))
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(manifest); err == nil {
		manifest = real
	}
	for _, p := range metadata.Packages {
		for _, t := range p.Targets {
			if (p.Manifest == manifest || len(metadata.Packages) == 1) && slices.Contains(t.Kinds, "cdylib") {
				return &crate{p.Name, t.Name, metadata.Output}, nil
			}
		}
	}
	return nil, fmt.Errorf(`%s makes no cdylib: a plugin's Cargo.toml has [lib] with crate-type = ["cdylib"]`, manifest)
}
