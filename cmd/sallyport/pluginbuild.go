package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/sallyport/sallyport/cmd/sallyport/project"
)

const pluginNewUsage = `sallyport plugin new NAME --lang go|rust [--dir D]

Makes the folder D/NAME with a plugin that builds, its unit tests, NAME.test.toml and a copy of the SDK. No network is used. NAME is what
gateway.toml will call the filter.

`

const pluginBuildUsage = `sallyport plugin build [DIR] [-o FILE] [--toolchain tinygo|go]

Builds the plugin in DIR (by default this folder) into DIR/NAME.wasm: one in Go with TinyGo if there is one, else with Go; one in Rust with
cargo. Names of functions are kept for stacks in the log, debugging sections are not.

`

// pluginNew makes a folder with a plugin.
func pluginNew(args []string, stdout, stderr io.Writer) int {
	flags := newFlags("plugin new", pluginNewUsage, stderr)
	language := flags.String("lang", "", "go or rust")
	parent := flags.String("dir", ".", "the `folder` that gets the new one")
	names, err := parse(flags, args)
	if err != nil {
		return misused(err)
	}
	switch {
	case len(names) != 1:
		flags.Usage()
		return 2
	case *language == "":
		fmt.Fprintf(stderr, "in which language? sallyport plugin new %s --lang go, or --lang rust\n", names[0])
		return 2
	}
	dir := filepath.Join(*parent, names[0])
	if err := project.New(dir, names[0], *language); err != nil {
		return failed(stderr, err)
	}
	test := map[string]string{"go": "go test ./...", "rust": "cargo test"}[*language]
	fmt.Fprintf(stdout, "%s is made. Now:\n\n  cd %s\n  %-28s unit tests, without WebAssembly\n  %-28s %s.wasm\n  %-28s %s.test.toml in the sandbox\n",
		dir, dir, test, "sallyport plugin build .", names[0], "sallyport plugin test .", names[0])
	return 0
}

// pluginBuild builds a plugin from its source.
func pluginBuild(args []string, stdout, stderr io.Writer) int {
	o := project.BuildOptions{Messages: stderr}
	flags := newFlags("plugin build", pluginBuildUsage, stderr)
	flags.StringVar(&o.Out, "o", "", "the `file` to write")
	flags.StringVar(&o.Toolchain, "toolchain", "", "tinygo or go, for plugins in Go")
	dirs, err := parse(flags, args)
	if err != nil {
		return misused(err)
	}
	if len(dirs) > 1 {
		flags.Usage()
		return 2
	}
	dir := append(dirs, ".")[0]
	built, err := project.Build(dir, o)
	if err != nil {
		return failed(stderr, err)
	}
	fmt.Fprintf(stdout, "%s: %s, built with %s\n", built.File, sizeText(int64(built.Size)), built.Toolchain)
	return 0
}
