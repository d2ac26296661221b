package main

import (
	"fmt"
	"io"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/diff"
)

const diffUsage = `sallyport diff OLD NEW [--json]

Tells what differs between two config files by what it means: routes, chains, grants, upstreams and their endpoints, limits. The order of
tables, comments and defaults count for nothing. What needs a second look (a grant that is new, a filter that runs no more) is marked by "!".
Secrets are compared, and never shown. The exit code is 0 when nothing differs, 1 when something does, 2 when a file is wrong.

`

// diffVerb compares two config files.
func diffVerb(args []string, stdout, stderr io.Writer) int {
	flags := newFlags("diff", diffUsage, stderr)
	asJSON := flags.Bool("json", false, "print the result as JSON")
	files, err := parse(flags, args)
	if err != nil {
		return misused(err)
	}
	if len(files) != 2 {
		flags.Usage()
		return 2
	}
	var configs [2]*config.Config
	for i, file := range files {
		if configs[i], err = config.Load(file); err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
	}
	changes := diff.Of(configs[0], configs[1])
	if *asJSON {
		err = printChangesJSON(stdout, changes)
	} else {
		err = diff.Print(stdout, changes)
	}
	switch {
	case err != nil:
		return 2
	case len(changes) > 0:
		return 1
	}
	return 0
}

func printChangesJSON(w io.Writer, changes []diff.Change) error {
	if changes == nil {
		changes = []diff.Change{}
	}
	if encodeJSON(w, map[string]any{"changes": changes}) != 0 {
		return io.ErrShortWrite
	}
	return nil
}
