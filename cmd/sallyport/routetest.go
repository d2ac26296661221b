package main

import (
	"fmt"
	"io"

	"github.com/sallyport/sallyport/core/cases"
	"github.com/sallyport/sallyport/core/config"
)

const routeTestUsage = `sallyport test [-c gateway.toml] [--update] [--verbose] CASES.toml...

Sends the cases' requests through the config's routes, filters and plugins, with servers of its own in the place of the upstreams, and compares
which route took them, what was decided, what the upstream got and what the client. Nothing that the config listens on is opened, and no
upstream is asked. The exit code is 0 if all went as expected, 1 if not.

`

// routeTest runs cases through the routes of a config.
func routeTest(args []string, stdout, stderr io.Writer) int {
	var t testFlags
	flags := newFlags("test", routeTestUsage, stderr)
	file := flags.String("c", "gateway.toml", "the config `file`")
	targets, code := t.parse(flags, args)
	if len(targets) == 0 {
		return code
	}
	cfg, err := config.Load(*file)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	for _, target := range targets {
		passed, err := t.routeFile(target, cfg, stdout)
		if err != nil {
			fmt.Fprintln(stderr, err)
		}
		if !passed {
			code = 1
		}
	}
	return code
}

func (t *testFlags) routeFile(file string, cfg *config.Config, stdout io.Writer) (passed bool, err error) {
	cs, err := config.LoadCases(file, config.RouteCases)
	if err != nil {
		return false, err
	}
	results, err := cases.RunRoutes(cs, cfg)
	if err != nil {
		return false, err
	}
	return t.finish(cs, results, stdout)
}
