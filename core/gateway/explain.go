package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/route"
)

// Asked is a request whose route is to be explained.
type Asked struct {
	Method string
	URL    string   // absolute, or a path with a query
	Fields []string // each "Name: value" or "Name:value"; Host among them
}

// Explained is where a request goes, and why.
type Explained struct {
	Method string `json:"method"`
	Host   string `json:"host"`
	Path   string `json:"path"` // in the form that is matched
	Query  string `json:"query,omitempty"`

	Status int               `json:"status,omitempty"` // of the answer, when it is settled before any filter: 400, 404, 405 and the like
	Answer string            `json:"answer,omitempty"` // why
	Route  *RouteView        `json:"route,omitempty"`
	Params map[string]string `json:"params,omitempty"`
	// Reached are the routes whose host and path fit, in the order in which they are asked; Others are the rest, at most as many as are of use.
	Reached   []ReasonView              `json:"reached"`
	Others    []ReasonView              `json:"others"`
	LeftOut   int                       `json:"left_out,omitempty"`  // of the others
	Endpoints map[string][]EndpointView `json:"endpoints,omitempty"` // of the upstreams that the request may go to
}

// ReasonView says why a request goes to a route or not.
type ReasonView struct {
	Route   string `json:"route"`
	Outcome string `json:"outcome"` // "matched", "host", "path", "header", "query", "method", "precedence"
	Why     string `json:"why"`
}

// EndpointView is an endpoint as far as it matters to one request.
type EndpointView struct {
	Address string   `json:"address"`
	Usable  bool     `json:"usable"`
	Why     []string `json:"why,omitempty"` // not
	Weight  int      `json:"weight"`
	Breaker string   `json:"breaker,omitempty"`
}

// maxOthers is how many routes are told of that a request does not even come near.
const maxOthers = 100

// Explain says where the current generation sends a request. Its error says what is wrong with the question.
func (g *Gateway) Explain(a Asked) (*Explained, error) {
	s := g.current.Load()
	if s == nil {
		return nil, errors.New("there is no config yet")
	}
	e, err := explain(s.Config, s.table, a)
	if err != nil || e.Route == nil {
		return e, err
	}
	e.Endpoints = map[string][]EndpointView{}
	for _, name := range e.Route.Target.upstreams() {
		for _, state := range s.upstreams[name].Endpoints() {
			view := EndpointView{state.Address, state.Standing.Usable && state.Breaker != "open", state.Standing.Why, state.Weight, state.Breaker}
			e.Endpoints[name] = append(e.Endpoints[name], view)
		}
	}
	return e, nil
}

// ExplainOf says where a gateway with that config would send a request. Its error is a config.Errors, or says what is wrong with the question.
func ExplainOf(cfg *config.Config, a Asked) (*Explained, error) {
	table, err := tableOf(cfg)
	if err != nil {
		return nil, err
	}
	return explain(cfg, table, a)
}

func explain(cfg *config.Config, table *route.Table, a Asked) (*Explained, error) {
	x, f, err := a.exchange()
	if err != nil {
		return nil, err
	}
	e := &Explained{Method: x.Req.Method, Host: x.Req.Host, Path: x.Req.Path, Query: x.Req.Query, Reached: []ReasonView{}, Others: []ReasonView{}}
	if f != nil {
		e.Status, e.Answer = f.Kind.Status(), "the request is refused before it is routed: "+f.Reason
		return e, nil
	}
	found := table.Explain(x)
	for _, r := range found.Reached {
		e.Reached = append(e.Reached, reasonView(cfg, &r, found.Index))
	}
	for _, r := range found.Others[:min(len(found.Others), maxOthers)] {
		e.Others = append(e.Others, reasonView(cfg, &r, found.Index))
	}
	e.LeftOut = len(found.Others) - len(e.Others)
	e.take(cfg, table, found)
	return e, nil
}

// take notes the route that was found, or the answer where there is none.
func (e *Explained) take(cfg *config.Config, table *route.Table, found *route.Explanation) {
	switch {
	case found.Index < 0 && found.Allow != "":
		e.Status, e.Answer = 405, "no route for this method: there are routes for "+found.Allow
		return
	case found.Index < 0:
		e.Status, e.Answer = 404, "no route for this host and path"
		return
	}
	for rank, index := range table.Order() {
		if index == found.Index {
			view := routeView(cfg, index, rank+1)
			e.Route = &view
		}
	}
	for _, p := range found.Params {
		if e.Params == nil {
			e.Params = map[string]string{}
		}
		e.Params[p.Name] = p.Value
	}
	for _, encoded := range cfg.Routes[found.Index].RejectEncoded {
		if strings.Contains(e.Path, encoded) {
			e.Status, e.Answer = 400, "the path holds an encoded character that this route refuses: "+encoded
		}
	}
}

// exchange returns the request as the engine would read it, and the fault with which it would refuse it; an error is what is no request at all.
func (a Asked) exchange() (*exchange.Exchange, *fault.Fault, error) {
	target, host, ok := a.target()
	if !ok || strings.ContainsAny(a.Method+a.URL, " \r\n") || a.Method == "" {
		return nil, nil, errors.New(`needs a method and a URL, such as GET https://api.example.com/orders/7 or GET /orders/7, without spaces`)
	}
	var lines strings.Builder
	for _, field := range a.Fields {
		name, value, ok := strings.Cut(field, ":")
		if !ok || strings.ContainsAny(field, "\r\n") {
			return nil, nil, fmt.Errorf(`%q is no header: write Name:value`, field)
		}
		if value = strings.TrimSpace(value); strings.EqualFold(name, "host") {
			host = value
			continue
		}
		lines.WriteString(name + ": " + value + "\r\n")
	}
	x, f := read(a.Method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + lines.String() + "\r\n")
	return x, f, nil
}

// target returns what a client would ask for at the URL, and where. A fragment it keeps to itself, and so it does a user and password.
func (a Asked) target() (target, host string, ok bool) {
	url, _, _ := strings.Cut(a.URL, "#")
	if strings.HasPrefix(url, "/") || url == "*" && a.Method == http.MethodOptions {
		return url, "localhost", true
	}
	scheme, rest, _ := strings.Cut(url, "://")
	if !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") || rest == "" {
		return "", "", false
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, target = rest[:end], rest[end:]
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return target, host[strings.LastIndexByte(host, '@')+1:], true
}

func read(head string) (*exchange.Exchange, *fault.Fault) {
	x := &exchange.Exchange{}
	h, f := http1.ParseRequest(head, http1.Limits{}, &x.Req.Fields)
	x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query = h.Method, h.Host, h.Path, h.Query
	return x, f
}

func reasonView(cfg *config.Config, r *route.Reason, chosen int) ReasonView {
	c := &cfg.Routes[r.Index]
	v := ReasonView{Route: c.Name, Outcome: r.Outcome.String()}
	switch r.Outcome {
	case route.Chosen:
		v.Why = "host, path and all predicates fit, and nothing goes before it"
	case route.OtherHost:
		v.Why = "it is for the host " + c.Host
	case route.OtherPath:
		v.Why = "its path is " + c.Path
	case route.FieldDiffers:
		v.Why = differs(cfg, r, "header", c.Key+".headers")
	case route.QueryDiffers:
		v.Why = differs(cfg, r, "query parameter", c.Key+".query")
	case route.MethodDiffers:
		v.Why = "it is for " + strings.Join(c.Methods, ", ")
	case route.Later:
		v.Why = fmt.Sprintf("it fits, too, but %s goes before it", cfg.Routes[chosen].Name)
	}
	return v
}

func differs(cfg *config.Config, r *route.Reason, kind, table string) string {
	wanted := shown(cfg, table, r.Name, r.Want)
	switch {
	case r.Got == nil && r.Want == nil:
		return fmt.Sprintf("it wants a %s %s", kind, r.Name)
	case r.Got == nil:
		return fmt.Sprintf("it wants the %s %s to be %q, which is missing", kind, r.Name, wanted)
	case wanted == config.Redacted:
		return fmt.Sprintf("it wants the %s %s to be another value", kind, r.Name)
	}
	return fmt.Sprintf("it wants the %s %s to be %q, and it is %q", kind, r.Name, wanted, *r.Got)
}
