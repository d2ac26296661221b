package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

// newFlags returns the flags of a verb; its help is usage, then the flags.
func newFlags(verb, usage string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("sallyport "+verb, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	return flags
}

// parse reads flags that stand before, between and after the arguments, and returns these.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// isTerminal reports whether somebody looks at w who may like colours.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
