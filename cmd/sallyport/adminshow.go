package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/diff"
	"github.com/sallyport/sallyport/core/gateway"
)

func (c *adminCommand) status([]string) error {
	var s admin.Status
	if printed, err := c.ask("/status", &s); printed {
		return err
	}
	var listeners []string
	for configured, bound := range s.Listeners {
		if configured != bound {
			bound = configured + " (" + bound + ")"
		}
		listeners = append(listeners, bound)
	}
	slices.Sort(listeners)
	endpoints, usable := 0, 0
	for _, list := range s.Gateway.Upstreams {
		for _, e := range list {
			endpoints++
			if e.Standing.Usable {
				usable++
			}
		}
	}
	printPairs(c.out, [][2]string{
		{"version", s.Version}, {"ready", strconv.FormatBool(s.Ready)}, {"config", s.Gateway.Config}, {"hash", s.Hash},
		{"generation", strconv.FormatUint(s.Gateway.Generation, 10)}, {"since", clock(s.Gateway.Built)}, {"listeners", strings.Join(listeners, ", ")},
		{"plugins", strconv.Itoa(len(s.Gateway.Plugins))}, {"upstreams", strconv.Itoa(len(s.Gateway.Upstreams))},
		{"endpoints", fmt.Sprintf("%d, %d of them usable", endpoints, usable)}, {"goroutines", strconv.Itoa(s.Goroutines)},
		{"log lines dropped", strconv.FormatUint(s.AccessDropped, 10)},
	})
	return nil
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (c *adminCommand) routes([]string) error {
	var answer struct{ Routes []gateway.RouteView }
	if printed, err := c.ask("/routes", &answer); printed {
		return err
	}
	printRoutes(c.out, answer.Routes)
	return nil
}

func (c *adminCommand) explain(args []string) error {
	query := url.Values{"method": {args[0]}, "url": {args[1]}, "header": c.fields}
	var e gateway.Explained
	if printed, err := c.ask("/explain?"+query.Encode(), &e); printed {
		return err
	}
	printExplained(c.out, &e)
	return nil
}

func (c *adminCommand) plugins(args []string) error {
	if len(args) == 1 {
		return c.plugin(args[0])
	}
	var answer struct{ Plugins []gateway.PluginView }
	if printed, err := c.ask("/plugins", &answer); printed {
		return err
	}
	rows := [][]string{{"PLUGIN", "HASH", "HOOKS", "CALLS", "MEAN", "FUEL/CALL", "FAILURES", "INSTANCES", "GRANTS"}}
	for _, p := range answer.Plugins {
		var sum gateway.PoolStatus
		failures, micros := int64(0), 0.0
		for _, pool := range p.Pools {
			sum.Calls, sum.Fuel, sum.Instances = sum.Calls+pool.Calls, sum.Fuel+pool.Fuel, sum.Instances+pool.Instances
			micros += pool.Micros * float64(pool.Calls)
			for _, n := range pool.Failures {
				failures += n
			}
		}
		rows = append(rows, []string{
			p.Name, p.Hash[:min(12, len(p.Hash))], orNothing(strings.Join(p.Hooks, ", ")), strconv.FormatInt(sum.Calls, 10), meanText(micros, sum.Calls),
			strconv.FormatInt(sum.Fuel/max(1, sum.Calls), 10), strconv.FormatInt(failures, 10), strconv.Itoa(sum.Instances), orNothing(strings.Join(p.Grants, " ")),
		})
	}
	printTable(c.out, rows)
	return nil
}

// meanText is what a hook takes on average; nothing before one was timed.
func meanText(micros float64, calls int64) string {
	if micros == 0 || calls == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fµs", micros/float64(calls))
}

func (c *adminCommand) plugin(name string) error {
	var p gateway.PluginView
	if printed, err := c.ask("/plugins/"+url.PathEscape(name), &p); printed {
		return err
	}
	printPairs(c.out, [][2]string{
		{"plugin", p.Name}, {"file", p.File}, {"SHA-256", p.Hash}, {"ABI", strconv.Itoa(p.ABI)}, {"hooks", strings.Join(p.Hooks, ", ")},
		{"needs", strings.Join(p.Needs, " ")}, {"grants", strings.Join(p.Grants, " ")},
		{"memory", sizeText(p.Limits.Memory)}, {"fuel", strconv.FormatInt(p.Limits.Fuel, 10)}, {"time limit", p.Limits.TimeLimit},
		{"instances", strconv.Itoa(p.Limits.MaxInstances) + " at most"},
	})
	if len(p.Filters) > 0 {
		rows := [][]string{{"\nROUTE", "WHERE", "CALLS", "FAILED"}}
		for _, f := range p.Filters {
			rows = append(rows, []string{f.Route, f.Where, strconv.FormatInt(f.Calls, 10), strconv.FormatInt(f.Failed, 10)})
		}
		printTable(c.out, rows)
	}
	for _, f := range p.Failures {
		fmt.Fprintf(c.out, "\n%s  %s  route %s  request %s\n  %s\n", clock(f.Time), f.Cause, f.Route, f.RequestID, f.Error)
		for line := range strings.Lines(f.Stack) {
			fmt.Fprintf(c.out, "    %s\n", strings.TrimSpace(line))
		}
	}
	return nil
}

func (c *adminCommand) upstreams(args []string) error {
	var answer struct{ Upstreams []gateway.UpstreamView }
	path, into := "/upstreams", any(&answer)
	if len(args) == 1 {
		answer.Upstreams = make([]gateway.UpstreamView, 1)
		path, into = "/upstreams/"+url.PathEscape(args[0]), &answer.Upstreams[0]
	}
	if printed, err := c.ask(path, into); printed {
		return err
	}
	rows := [][]string{{"UPSTREAM", "ENDPOINT", "STANDING", "WEIGHT", "ACTIVE", "IDLE", "REQUESTS", "FAILURES", "BREAKER"}}
	for _, u := range answer.Upstreams {
		for _, e := range u.Endpoints {
			rows = append(rows, endpointRow(u.Name, &e))
		}
	}
	printTable(c.out, rows)
	return nil
}

func endpointRow(upstream string, e *gateway.EndpointStatus) []string {
	standing := "usable"
	if !e.Standing.Usable {
		standing = strings.Join(e.Standing.Why, ",")
	}
	weight := strconv.Itoa(e.Weight)
	if e.Weight != e.Given {
		weight += fmt.Sprintf(" (config: %d)", e.Given)
	}
	return []string{
		upstream, e.Address, standing, weight, strconv.FormatInt(e.Active, 10), strconv.Itoa(e.Idle), strconv.FormatUint(e.Requests, 10),
		strconv.FormatUint(e.Failures, 10), orNothing(e.Breaker),
	}
}

// endpointPath is the path of something to be done to an endpoint.
func endpointPath(upstream, address, what string) string {
	return "/upstreams/" + url.PathEscape(upstream) + "/endpoints/" + url.PathEscape(address) + "/" + what
}

func (c *adminCommand) drain(args []string, drained bool) error {
	return c.changeEndpoint("POST", args, "drain", map[string]any{"drain": drained})
}

func (c *adminCommand) weight(args []string) error {
	var weight *int
	if args[2] != "config" {
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return fmt.Errorf("%q is no weight: 1 to 1000, or config", args[2])
		}
		weight = &n
	}
	return c.changeEndpoint("PUT", args, "weight", map[string]any{"weight": weight})
}

func (c *adminCommand) changeEndpoint(method string, args []string, what string, body any) error {
	var e gateway.EndpointStatus
	if printed, err := c.send(method, endpointPath(args[0], args[1], what), body, &e); printed {
		return err
	}
	printTable(c.out, [][]string{{"UPSTREAM", "ENDPOINT", "STANDING", "WEIGHT", "ACTIVE", "IDLE", "REQUESTS", "FAILURES", "BREAKER"}, endpointRow(args[0], &e)})
	return nil
}

func (c *adminCommand) config([]string) error {
	var e struct {
		Generation uint64
		Hash, File string
		Config     json.RawMessage
		Origins    map[string]string
	}
	if printed, err := c.ask("/config", &e); printed {
		return err
	}
	fmt.Fprintf(c.out, "# %s, generation %d, SHA-256 %s\n# LINE:COL is where a value stands; -: nowhere, it is a default\n", e.File, e.Generation, e.Hash)
	rows := [][]string{}
	settings, err := flatten(e.Config)
	if err != nil {
		return err
	}
	for _, s := range settings {
		rows = append(rows, []string{orNothing(e.Origins[s[0]]), s[0], s[1]})
	}
	printTable(c.out, rows)
	return nil
}

func (c *adminCommand) history([]string) error {
	var answer struct{ History []admin.Attempt }
	if printed, err := c.ask("/config/history", &answer); printed {
		return err
	}
	rows := [][]string{{"GENERATION", "TIME", "SOURCE", "WHO", "HASH", "RESULT"}}
	for _, a := range answer.History {
		generation, result := "-", "ok"
		if a.OK {
			generation = strconv.FormatUint(a.Generation, 10)
		} else {
			result, _, _ = strings.Cut(a.Error, "\n")
			if more := strings.Count(a.Error, "\n"); more > 0 {
				result += fmt.Sprintf(" (and %d more)", more)
			}
		}
		rows = append(rows, []string{generation, clock(a.Time), a.Source, orNothing(a.Who), orNothing(a.Hash[:min(12, len(a.Hash))]), result})
	}
	printTable(c.out, rows)
	return nil
}

func (c *adminCommand) diff(args []string) error {
	query := url.Values{}
	for i, name := range []string{"from", "to"} {
		if i < len(args) {
			query.Set(name, args[i])
		}
	}
	answer, err := c.client.do("GET", "/config/diff?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	var d admin.Difference
	if err := json.Unmarshal(answer, &d); err != nil {
		return err
	}
	if !c.show(answer) {
		fmt.Fprintf(c.out, "generation %d to %d\n", d.From, d.To)
		if err := diff.Print(c.out, d.Changes); err != nil {
			return err
		}
	}
	if len(d.Changes) > 0 {
		return differs{}
	}
	return nil
}

func (c *adminCommand) reload([]string) error {
	var s admin.Status
	if printed, err := c.send("POST", "/reload", struct{}{}, &s); printed {
		return err
	}
	fmt.Fprintf(c.out, "generation %d, SHA-256 %s\n", s.Gateway.Generation, s.Hash)
	return nil
}

func (c *adminCommand) logLevel(args []string) error {
	var level struct{ Level, Configured string }
	method, body := "GET", any(nil)
	if len(args) == 1 {
		method, body = "PUT", map[string]string{"level": args[0]}
	}
	if printed, err := c.send(method, "/log-level", body, &level); printed {
		return err
	}
	fmt.Fprintf(c.out, "%s (config: %s)\n", level.Level, orNothing(level.Configured))
	return nil
}

// flatten lists the values of a JSON object by key path.
func flatten(text json.RawMessage) (settings [][2]string, err error) {
	var walk func(key string, text json.RawMessage) error
	walk = func(key string, text json.RawMessage) error {
		var list []json.RawMessage
		var table map[string]json.RawMessage
		switch {
		case text[0] == '{' && json.Unmarshal(text, &table) == nil && len(table) > 0:
			for _, name := range slices.Sorted(maps.Keys(table)) {
				if err := walk(joinKey(key, name), table[name]); err != nil {
					return err
				}
			}
		case text[0] == '[' && json.Unmarshal(text, &list) == nil && len(list) > 0:
			for i, e := range list {
				if err := walk(fmt.Sprintf("%s[%d]", key, i), e); err != nil {
					return err
				}
			}
		default:
			settings = append(settings, [2]string{key, string(text)})
		}
		return nil
	}
	err = walk("", text)
	return settings, err
}

// joinKey returns a key path as gateway.toml's errors have it.
func joinKey(key, name string) string {
	if strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) >= 0 || name == "" {
		name = strconv.Quote(name)
	}
	if key == "" {
		return name
	}
	return key + "." + name
}
