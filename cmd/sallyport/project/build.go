package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// BuildOptions say how to build a plugin.
type BuildOptions struct {
	Out       string    // file; "" for NAME.wasm beside the source
	Toolchain string    // "tinygo" or "go", for plugins in Go; "" for TinyGo if there is one
	Messages  io.Writer // what compilers have to say
}

// Built is a plugin that was built.
type Built struct {
	File      string
	Size      int
	Toolchain string
}

// Build builds the plugin whose source is in dir. Names of functions stay in the module, for stacks in the log; what debuggers need
// does not. An error says what is missing, if something is.
func Build(dir string, o BuildOptions) (*Built, error) {
	b := &build{BuildOptions: o, dir: dir}
	make, err := b.language()
	if err != nil {
		return nil, err
	}
	wasm, err := make()
	if err != nil {
		return nil, err
	}
	wasm = stripDebug(wasm)
	if b.Out == "" {
		b.Out = filepath.Join(dir, b.name+".wasm")
	}
	if err := publish(b.Out, wasm); err != nil {
		return nil, err
	}
	return &Built{b.Out, len(wasm), b.Toolchain}, nil
}

// build is one run of Build.
type build struct {
	BuildOptions
	dir  string
	name string // of the plugin, when it is known
}

// language finds out what the plugin is written in.
func (b *build) language() (func() ([]byte, error), error) {
	for _, try := range []struct {
		file string
		make func() ([]byte, error)
	}{{"Cargo.toml", b.rust}, {"go.mod", b.golang}, {"main.go", b.golang}} {
		switch _, err := os.Stat(filepath.Join(b.dir, try.file)); {
		case err == nil:
			return try.make, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	if _, err := os.Stat(b.dir); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s holds no plugin's source, neither go.mod and main.go nor Cargo.toml: sallyport plugin new makes a folder that does", b.dir)
}

// run runs a compiler in the plugin's folder.
func (b *build) run(env []string, program string, args ...string) error {
	var said bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if b.Messages != nil {
		_, _ = b.Messages.Write(said.Bytes()) // nothing depends on it
	}
	if err != nil {
		return fmt.Errorf("%s does not build with %s: %w", b.dir, path.Base(program), err)
	}
	return nil
}

// temporary runs make with the name of a file that it must write, and returns what is in there.
func temporary(make func(file string) error) ([]byte, error) {
	dir, err := os.MkdirTemp("", "sallyport-build")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "plugin.wasm")
	if err := make(file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// publish puts a module into its place at once: a gateway may be watching.
func publish(file string, wasm []byte) error {
	aside := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".new")
	err := os.WriteFile(aside, wasm, 0o644)
	if err == nil {
		err = os.Rename(aside, file)
	}
	if err != nil {
		_ = os.Remove(aside) // the error that matters is known
	}
	return err
}

// stem is the last part of a module's path or of a folder's name.
func stem(text string) string {
	return path.Base(strings.TrimRight(filepath.ToSlash(text), "/"))
}
