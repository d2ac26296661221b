package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

const pluginUsage = `sallyport plugin, the tools for authors of plugins

  sallyport plugin new NAME --lang go|rust [--dir D]           a plugin to begin with, in the folder D/NAME
  sallyport plugin build [DIR] [-o FILE] [--toolchain T]       DIR/NAME.wasm from its source
  sallyport plugin test DIR|FILE... [--wasm FILE] [--update]   run its *.test.toml in the sandbox
  sallyport plugin inspect FILE [--config JSON] [--json]       what a module is, needs and costs

Each tells more with -h. docs/PLUGINS.md says how to write a plugin.
`

// plugin runs one of the author's verbs.
func plugin(args []string, stdout, stderr io.Writer) int {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "new":
		return pluginNew(args[1:], stdout, stderr)
	case "build":
		return pluginBuild(args[1:], stdout, stderr)
	case "test":
		return pluginTest(args[1:], stdout, stderr)
	case "inspect":
		return pluginInspect(args[1:], stdout, stderr)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, pluginUsage)
		return 0
	case "":
		fmt.Fprint(stderr, pluginUsage)
		return 2
	}
	fmt.Fprintf(stderr, "sallyport plugin: there is no verb %q\n\n%s", verb, pluginUsage)
	return 2
}

// misused is the exit code for arguments that make no sense; asking for help is no mistake.
func misused(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	return 2
}

// failed tells why a verb could not do its work.
func failed(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "sallyport:", err)
	return 1
}
