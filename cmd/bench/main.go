// Command bench measures Sallyport beside other proxies in one run: every proxy alone on core 0, load and backend on
// core 1, rounds in alternation. What counts are the ratios within a run; absolute figures do not carry over.
//
//	bench [-rounds N] [-seconds N] [-only NAMES] [-sallyport PATH] [-plugins DIR] [-json FILE]
//	bench serve-reverseproxy ADDRESS BACKEND
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// settings are what the command line says about a run.
type settings struct {
	rounds    int
	seconds   int      // of load in each round
	only      []string // beginnings of names; empty: every proxy
	sallyport string   // the gateway's binary
	plugins   string   // folder of .wasm files
	json      string   // file for the report; "": none
	minBusy   float64  // share of its core that a proxy must have used for a round to count
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == serveVerb {
		err = serveReverseProxy(ctx, os.Args[2:])
	} else {
		err = bench(ctx, os.Args[1:])
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func parseSettings(args []string) (settings, error) {
	var s settings
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&s.rounds, "rounds", 3, "rounds that must count for each proxy")
	flags.IntVar(&s.seconds, "seconds", 5, "seconds of load in a round")
	flags.StringVar(&only, "only", "", "measure only the proxies whose names begin so, separated by commas")
	flags.StringVar(&s.sallyport, "sallyport", "bin/sallyport", "the gateway's binary")
	flags.StringVar(&s.plugins, "plugins", "bin/plugins", "folder of the plugins' .wasm files")
	flags.StringVar(&s.json, "json", "", "also write the report as JSON into this file")
	flags.Float64Var(&s.minBusy, "min-busy", 95, "per cent of its core that a proxy must use for a round to count")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.minBusy /= 100
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("%q: no arguments are known but flags", flags.Arg(0))
	case s.rounds < 1 || s.rounds > 100 || s.seconds < 1 || s.seconds > 600:
		return s, errors.New("-rounds goes from 1 to 100, -seconds from 1 to 600")
	}
	return s, nil
}

func bench(ctx context.Context, args []string) error {
	s, err := parseSettings(args)
	if err != nil {
		return err
	}
	if runtime.NumCPU() < 2 {
		return errors.New("two cores are needed: one for the proxy, one for load and backend")
	}
	f, err := newField(ctx, s)
	if err != nil {
		return err
	}
	defer f.close()
	results, err := f.measureAll(ctx)
	if err != nil {
		return err
	}
	r := newReport(s, results)
	r.print(os.Stdout)
	if s.json == "" {
		return nil
	}
	return r.writeJSON(s.json)
}
