// Command sallyport is the gateway and the tools around it.
package main

import (
	"fmt"
	"io"
	"os"
)

// version is set by the build.
var version = "development"

const usage = `sallyport, the API gateway whose policies are sandboxed plugins

  sallyport run   [-c gateway.toml]           serve
  sallyport check [-c gateway.toml] [--json]  load everything, serve nothing
  sallyport test  [-c gateway.toml] CASES...  try requests on its routes, with stand-ins for the upstreams
  sallyport routes [-c gateway.toml] [--json]  list the routes in the order of precedence; --explain METHOD URL
  sallyport diff OLD NEW [--json]             what differs between two configs by what it means
  sallyport admin SUBCOMMAND                  ask a running gateway, or change it: routes, plugins, drain, history…
  sallyport plugin new|build|test|inspect     the tools for authors of plugins
  sallyport version
`

func main() {
	os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch runs a verb and returns the exit code.
func dispatch(args []string, stdout, stderr io.Writer) int {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "run":
		return run(args[1:], stderr)
	case "check":
		return check(args[1:], stdout, stderr)
	case "test":
		return routeTest(args[1:], stdout, stderr)
	case "routes":
		return routesVerb(args[1:], stdout, stderr)
	case "diff":
		return diffVerb(args[1:], stdout, stderr)
	case "admin":
		return adminVerb(args[1:], stdout, stderr)
	case "plugin":
		return plugin(args[1:], stdout, stderr)
	case "version", "--version":
		fmt.Fprintln(stdout, "sallyport", version)
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	case "":
		fmt.Fprint(stderr, usage)
		return 2
	}
	fmt.Fprintf(stderr, "sallyport: there is no verb %q\n\n%s", verb, usage)
	return 2
}
