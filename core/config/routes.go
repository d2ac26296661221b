package config

import (
	"slices"
	"strings"
	"time"
)

// defaultStreamIdle is longer than servers of events and sockets usually let pass between two signs of life.
const defaultStreamIdle = 5 * time.Minute

// readRoutes reads [[routes]], whose names must differ.
func readRoutes(v value) []Route {
	elements, _ := v.list("tables: one [[routes]] for each")
	list := make([]Route, len(elements))
	seen := make(map[string]int, len(elements))
	known := routeKeys()
	for i, e := range elements {
		v.r.sources.rest()
		r := &list[i]
		readRoute(e, known, r)
		if first, twice := seen[r.Name]; twice && r.Name != "" {
			e.child("name").fail("%q is the name of the route in line %d already", r.Name, v.r.config.At(element(v.key, first)).Line)
		} else {
			seen[r.Name] = i
		}
	}
	return list
}

func readRoute(v value, known keys[Route], r *Route) {
	*r = Route{Key: v.key, UpstreamHost: "pass", IdleTimeout: defaultStreamIdle}
	known.read(v, r)
	if !v.holdsKeys() {
		return
	}
	v.need("name", "what logs and metrics call the route")
	v.need("path", `what it matches, such as "/orders/:id" or "/files/*rest"`)
	if v.exclude("upstream", "split", "redirect", "respond") == 0 {
		v.fail("needs one of upstream, split, redirect and respond")
	}
	v.exclude("strip_prefix", "rewrite")
	if !v.has("upstream") && !v.has("split") {
		v.refuseProxyKeys()
	}
	v.checkSplit()
	v.checkPaths(r)
}

// refuseProxyKeys notes keys that mean nothing to a route that answers by itself.
func (v value) refuseProxyKeys() {
	for _, name := range []string{"strip_prefix", "rewrite", "upstream_host", "timeout", "max_body", "idle_timeout", "total_timeout", "mirror"} {
		if v.has(name) {
			v.child(name).fail("only goes with upstream")
		}
	}
}

// checkPaths notes what does not fit to the route's own path.
func (v value) checkPaths(r *Route) {
	if r.Path == "" {
		return
	}
	if r.Rewrite != "" {
		v.child("rewrite").checkTemplate(r.Rewrite, r.Path)
	}
	if r.Redirect != nil {
		v.child("redirect").checkTemplate(r.Redirect.To, r.Path)
	}
	if r.StripPrefix != "" && !canBegin(r.Path, r.StripPrefix) {
		v.child("strip_prefix").fail("no path that matches %q begins with %q", r.Path, r.StripPrefix)
	}
	for _, f := range r.Filters {
		if f.Rewrite != nil && f.Rewrite.Path != "" {
			value{v.r, f.Key + ".path", nil}.checkTemplate(f.Rewrite.Path, r.Path)
		}
	}
}

// canBegin reports whether a path that matches pattern can begin with the segments of prefix.
func canBegin(pattern, prefix string) bool {
	segments := strings.Split(pattern[1:], "/")
	for i, wanted := range strings.Split(prefix[1:], "/") {
		switch {
		case i >= len(segments):
			return false
		case strings.HasPrefix(segments[i], "*"):
			return true
		case segments[i] != wanted && !strings.Contains(segments[i], ":"):
			return false
		}
	}
	return true
}

func routeKeys() keys[Route] {
	return keys[Route]{
		{"name", func(v value, r *Route) { readRouteName(v, &r.Name) }},
		{"host", func(v value, r *Route) { v.hostPattern(&r.Host) }},
		{"path", func(v value, r *Route) { v.pathPattern(&r.Path) }},
		{"methods", func(v value, r *Route) { readMethods(v, &r.Methods) }},
		{"headers", readHeaderMatches},
		{"query", readQueryMatches},
		{"upstream", func(v value, r *Route) { readUpstreamName(v, &r.Upstream) }},
		{"redirect", func(v value, r *Route) { r.Redirect = readRedirect(v) }},
		{"respond", func(v value, r *Route) { r.Respond = readRespond(v) }},
		{"strip_prefix", func(v value, r *Route) { readStripPrefix(v, &r.StripPrefix) }},
		{"rewrite", func(v value, r *Route) { v.template(&r.Rewrite) }},
		{"reject_encoded", func(v value, r *Route) { readRejectEncoded(v, &r.RejectEncoded) }},
		{"upstream_host", func(v value, r *Route) { v.hostToSend(&r.UpstreamHost) }},
		{"timeout", func(v value, r *Route) { v.duration(&r.Timeout, 0, longest) }},
		{"max_body", func(v value, r *Route) { size(v, &r.MaxBody, 1, 1<<40) }},
		{"idle_timeout", func(v value, r *Route) { v.duration(&r.IdleTimeout, shortest, longest) }},
		{"filters", func(v value, r *Route) { r.Filters = readFilters(v) }},
		{"total_timeout", func(v value, r *Route) { v.duration(&r.TotalTimeout, 0, longest) }},
		{"concurrency", func(v value, r *Route) { r.Concurrency = readConcurrency(v) }},
		{"split", func(v value, r *Route) { r.split().Branches = readBranches(v) }},
		{"split_by", func(v value, r *Route) { readSplitBy(v, &r.split().By) }},
		{"split_sticky", func(v value, r *Route) { readSplitSticky(v, r.split()) }},
		{"mirror", func(v value, r *Route) { r.Mirror = readMirror(v) }},
		{"access_log", readAccessLog},
		{"tracing", func(v value, r *Route) { r.Tracing = readRouteTracing(v) }},
	}
}

func readRouteName(v value, dst *string) {
	if s, ok := v.text("what logs and metrics call the route"); ok && v.checkName(s) {
		*dst = s
	}
}

// readStripPrefix takes "" for nothing to strip.
func readStripPrefix(v value, dst *string) {
	if v.raw != "" {
		v.literalPath(dst)
	}
}

func readMethods(v value, dst *[]string) {
	if list, ok := v.raw.([]any); ok && len(list) == 0 {
		v.fail("must hold at least one method: leave the key out to match them all")
	}
	v.texts(dst, `methods such as "GET"`, func(e value, s string) (string, bool) {
		switch {
		case !isToken(s):
			e.fail("%q is no method", s)
		case s != strings.ToUpper(s):
			e.fail("methods are written in capitals: did you mean %q?", strings.ToUpper(s))
		case s == "CONNECT":
			e.fail("CONNECT asks for a tunnel through a forward proxy, which this is not")
		default:
			return s, true
		}
		return "", false
	})
}

func readHeaderMatches(v value, r *Route) {
	for _, m := range v.matches(checkMatchedField) {
		r.Headers = append(r.Headers, HeaderMatch{m.name, m.value})
	}
}

func checkMatchedField(v value, name string) bool {
	switch {
	case !isToken(name):
		v.fail("%q is no field name", name)
	case strings.EqualFold(name, "host"):
		v.fail("a route's host matches Host")
	default:
		return true
	}
	return false
}

func readQueryMatches(v value, r *Route) {
	for _, m := range v.matches(func(value, string) bool { return true }) {
		r.Query = append(r.Query, QueryMatch{m.name, m.value})
	}
}

func readUpstreamName(v value, dst *string) {
	s, ok := v.text("the name of an upstream")
	if !ok {
		return
	}
	if _, known := v.r.config.Upstreams[s]; !known {
		v.fail("there is no upstream %q%s", s, didYouMean(s, upstreamNames(v.r.config)))
		return
	}
	*dst = s
}

func readRejectEncoded(v value, dst *[]string) {
	known := []string{"%2F", "%5C", "%3B", "%23"}
	v.texts(dst, "escapes "+quoted(known), func(e value, s string) (string, bool) {
		if !slices.Contains(known, s) {
			e.fail("%q is not one of %s%s", s, quoted(known), didYouMean(s, known))
			return "", false
		}
		return s, true
	})
}
