package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gateway"
)

const routesUsage = `sallyport routes [-c gateway.toml] [--json] [--explain METHOD URL [-H Name:value]...]

Lists the routes of a config in the order of precedence, each with its chain and where it leads; with --explain, says which one a request goes
to and why no other. Nothing is loaded but the file, and no gateway is asked: for a running one there is sallyport admin.
The exit code is 1 when the config is wrong.

`

// routesVerb lists a config's routes.
func routesVerb(args []string, stdout, stderr io.Writer) int {
	flags := newFlags("routes", routesUsage, stderr)
	file := flags.String("c", defaultFile, "the config `file`")
	asJSON := flags.Bool("json", false, "print the result as JSON")
	explains := flags.Bool("explain", false, "say where a request goes: METHOD URL follow")
	var fields fieldList
	flags.Var(&fields, "H", "a header of the request to explain, `Name:value`; may be there more than once")
	rest, err := parse(flags, args)
	if err != nil {
		return misused(err)
	}
	if *explains != (len(rest) == 2) || !*explains && len(rest) > 0 {
		flags.Usage()
		return 2
	}
	cfg, err := config.Load(*file)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if *explains {
		return explainOf(cfg, gateway.Asked{Method: rest[0], URL: rest[1], Fields: fields}, *asJSON, stdout, stderr)
	}
	routes, err := gateway.RoutesOf(cfg)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if *asJSON {
		return encodeJSON(stdout, map[string]any{"routes": routes})
	}
	printRoutes(stdout, routes)
	return 0
}

func explainOf(cfg *config.Config, asked gateway.Asked, asJSON bool, stdout, stderr io.Writer) int {
	e, err := gateway.ExplainOf(cfg, asked)
	var wrong config.Errors
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintln(stderr, err)
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "sallyport routes: the request", err)
		return 2
	case asJSON:
		return encodeJSON(stdout, e)
	}
	printExplained(stdout, e)
	return 0
}

func encodeJSON(w io.Writer, value any) int {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return 1
	}
	return 0
}

func printRoutes(w io.Writer, routes []gateway.RouteView) {
	rows := [][]string{{"#", "ROUTE", "HOST", "PATH", "METHODS", "IF", "CHAIN", "TO"}}
	for _, r := range routes {
		rows = append(rows, []string{
			strconv.Itoa(r.Rank), r.Name, orNothing(r.Host), r.Path, orAny(r.Methods), orNothing(predicates(&r)), orNothing(chainText(r.Chain)), targetText(&r.Target),
		})
	}
	printTable(w, rows)
}

func predicates(r *gateway.RouteView) string {
	var list []string
	add := func(sign string, wanted map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			list = append(list, sign+name+"="+wanted[name])
		}
	}
	add("", r.Headers)
	add("?", r.Query)
	return strings.Join(list, " ")
}

func chainText(chain []gateway.StepView) string {
	names := make([]string, len(chain))
	for i, step := range chain {
		names[i] = step.Name
		if step.OnError == "skip" {
			names[i] += "(skip)"
		}
	}
	return strings.Join(names, " → ")
}

func targetText(t *gateway.TargetView) string {
	text := t.Upstream
	for i, b := range t.Split {
		if i > 0 {
			text += " | "
		}
		text += fmt.Sprintf("%s×%d", b.Upstream, b.Weight)
	}
	switch {
	case t.Redirect != "":
		text = "redirect " + t.Redirect
	case t.Respond != 0:
		text = fmt.Sprintf("respond %d", t.Respond)
	}
	if t.Mirror != nil {
		text += fmt.Sprintf(" + %d%% copied to %s", t.Mirror.Share, t.Mirror.Upstream)
	}
	return text
}

func printExplained(w io.Writer, e *gateway.Explained) {
	url := e.Host + e.Path
	if e.Query != "" {
		url += "?" + e.Query
	}
	fmt.Fprintf(w, "%s %s\n", e.Method, url)
	if e.Answer != "" {
		fmt.Fprintf(w, "is answered %d: %s\n", e.Status, e.Answer)
	}
	if r := e.Route; r != nil {
		fmt.Fprintf(w, "goes to route %s (%s, line %d)\n\n", r.Name, r.Where, r.Line)
		pairs := [][2]string{{"  path", r.Path}, {"  chain", orNothing(chainText(r.Chain))}, {"  to", targetText(&r.Target)}, {"  timeout", r.Limits.Timeout}}
		for _, name := range slices.Sorted(maps.Keys(e.Params)) {
			pairs = append(pairs, [2]string{"  :" + name, e.Params[name]})
		}
		printPairs(w, pairs)
	}
	printEndpoints(w, e)
	printReasons(w, "\nroutes whose host and path fit, in order", e.Reached)
	printReasons(w, "\nothers", e.Others)
	if e.LeftOut > 0 {
		fmt.Fprintf(w, "  and %d more\n", e.LeftOut)
	}
}

func printEndpoints(w io.Writer, e *gateway.Explained) {
	for _, name := range slices.Sorted(maps.Keys(e.Endpoints)) {
		fmt.Fprintf(w, "\nendpoints of %s\n", name)
		rows := [][]string{}
		for _, endpoint := range e.Endpoints[name] {
			standing := "usable"
			if !endpoint.Usable {
				standing = "not usable: " + strings.Join(append(endpoint.Why, breakerText(endpoint.Breaker)...), ", ")
			}
			rows = append(rows, []string{"  " + endpoint.Address, "weight " + strconv.Itoa(endpoint.Weight), standing})
		}
		printTable(w, rows)
	}
}

func breakerText(state string) []string {
	if state == "" || state == "closed" {
		return nil
	}
	return []string{"breaker " + state}
}

func printReasons(w io.Writer, title string, reasons []gateway.ReasonView) {
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintln(w, title)
	rows := [][]string{}
	for _, r := range reasons {
		rows = append(rows, []string{"  " + r.Route, r.Outcome, r.Why})
	}
	printTable(w, rows)
}
