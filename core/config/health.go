package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Health is the health table of an upstream.
type Health struct {
	Kind              string // "http", "tcp" or "grpc"
	Method            string // of http, as are Path, Query, Statuses and Body
	Path              string
	Query             string
	Host              string // to be sent; "": the endpoint's address
	Port              int    // 0: the endpoint's own
	Interval          time.Duration
	UnhealthyInterval time.Duration // while an endpoint is out
	Jitter            time.Duration // added to an interval at most
	Timeout           time.Duration
	Healthy           int // checks in a row
	Unhealthy         int
	Statuses          []StatusRange
	Body              string // what the content must hold
	Service           string // of grpc
}

// StatusRange is the statuses from one to another, both included.
type StatusRange struct {
	From, To int
}

func readHealth(v value) *Health {
	h := &Health{
		Method: "GET", Interval: 5 * time.Second, Timeout: time.Second, Healthy: 1, Unhealthy: 3, Statuses: []StatusRange{{200, 399}},
	}
	healthKeys().read(v, h)
	if !v.holdsKeys() {
		return h
	}
	if !v.has("unhealthy_interval") {
		h.UnhealthyInterval = h.Interval
	}
	if !v.has("jitter") {
		h.Jitter = h.Interval / 10
	}
	if h.Kind == "" && v.has("path") {
		h.Kind = "http"
	}
	if h.Kind == "" && !v.has("kind") {
		v.fail(`needs a path to ask for, such as path = "/healthz", or kind = "tcp" or "grpc"`)
	}
	v.checkHealth(h)
	return h
}

func healthKeys() keys[Health] {
	return keys[Health]{
		{"kind", func(v value, h *Health) { v.oneOf(&h.Kind, "http", "tcp", "grpc") }},
		{"path", func(v value, h *Health) { readHealthPath(v, h) }},
		{"method", func(v value, h *Health) { v.oneOf(&h.Method, "GET", "HEAD", "OPTIONS", "POST") }},
		{"host", func(v value, h *Health) { readHealthHost(v, &h.Host) }},
		{"port", func(v value, h *Health) { integer(v, &h.Port, 1, 65535) }},
		{"interval", func(v value, h *Health) { v.duration(&h.Interval, 100*time.Millisecond, longest) }},
		{"unhealthy_interval", func(v value, h *Health) { v.duration(&h.UnhealthyInterval, 100*time.Millisecond, longest) }},
		{"jitter", func(v value, h *Health) { v.duration(&h.Jitter, 0, longest) }},
		{"timeout", func(v value, h *Health) { v.duration(&h.Timeout, 10*time.Millisecond, time.Minute) }},
		{"healthy_threshold", func(v value, h *Health) { integer(v, &h.Healthy, 1, 100) }},
		{"unhealthy_threshold", func(v value, h *Health) { integer(v, &h.Unhealthy, 1, 100) }},
		{"statuses", func(v value, h *Health) { readStatuses(v, &h.Statuses) }},
		{"body", func(v value, h *Health) { readHealthBody(v, &h.Body) }},
		{"service", func(v value, h *Health) { readHealthService(v, &h.Service) }},
	}
}

// checkHealth notes keys that mean nothing to the kind of check.
func (v value) checkHealth(h *Health) {
	if h.Kind == "http" && !v.has("path") {
		v.need("path", `what is asked for, such as "/healthz"`)
	}
	goWith := map[string][]string{
		"http": {"path", "method", "statuses", "body", "host"},
		"grpc": {"service", "host"},
		"tcp":  nil,
	}
	mine, known := goWith[h.Kind]
	if !known {
		return
	}
	for _, name := range []string{"path", "method", "statuses", "body", "host", "service"} {
		if v.has(name) && !slices.Contains(mine, name) {
			v.child(name).fail("means nothing to a check of kind %q", h.Kind)
		}
	}
	if h.Body != "" && h.Method == "HEAD" {
		v.child("body").fail("an answer to HEAD has no content")
	}
}

// checkHealthOf notes what does not fit to the upstream that has the table.
func checkHealthOf(v value, u *Upstream) {
	if u.Health == nil {
		return
	}
	health := v.child("health")
	if u.Health.Kind == "grpc" && u.Protocol == "http/1.1" {
		health.child("kind").fail(`"grpc" needs HTTP/2: set the upstream's protocol to "h2" or "h2c"`)
	}
	isSocket := func(e Endpoint) bool { return strings.HasPrefix(e.Address, unixPrefix) }
	if u.Health.Port != 0 && slices.ContainsFunc(u.Endpoints, isSocket) {
		health.child("port").fail("there are Unix sockets among the endpoints: they have no ports")
	}
}

func readHealthPath(v value, h *Health) {
	s, ok := v.text(`a path such as "/healthz"`)
	switch {
	case !ok:
	case s[0] != '/':
		v.fail(`%q must begin with "/"`, s)
	case !isVisible(s) || strings.Contains(s, "#"):
		v.fail("%q holds a character that must be percent-encoded", s)
	default:
		h.Path, h.Query, _ = strings.Cut(s, "?")
	}
}

func readHealthHost(v value, dst *string) {
	s, ok := v.text("a host name")
	if !ok {
		return
	}
	if s == "pass" || s == "upstream" {
		v.fail("%q: a check has a host name here; without the key it sends the endpoint's address", s)
		return
	}
	v.hostToSend(dst)
}

const (
	maxHealthBody    = 1024
	maxHealthService = 256
)

func readHealthBody(v value, dst *string) {
	s, ok := v.text("what the content must hold")
	switch {
	case !ok:
	case len(s) > maxHealthBody:
		v.fail("is %d bytes long, the most is %d", len(s), maxHealthBody)
	default:
		*dst = s
	}
}

func readHealthService(v value, dst *string) {
	s, ok := v.text(`the full name of a gRPC service, such as "orders.v1.Orders"; leave it out to ask for the server as a whole`)
	switch {
	case !ok:
	case len(s) > maxHealthService || !isVisible(s):
		v.fail("%q is no name of a service", s)
	default:
		*dst = s
	}
}

// readStatuses reads an array of statuses and of ranges.
func readStatuses(v value, dst *[]StatusRange) {
	elements, ok := v.list(`statuses such as 204, or of ranges such as "200-299"`)
	if !ok {
		return
	}
	if len(elements) == 0 {
		v.fail("must hold at least one status: else no check is ever passed")
		return
	}
	list := make([]StatusRange, 0, len(elements))
	for _, e := range elements {
		if r, ok := readStatusRange(e); ok {
			list = append(list, r)
		}
	}
	*dst = list
}

func readStatusRange(v value) (StatusRange, bool) {
	from, to := "", ""
	switch raw := v.raw.(type) {
	case int64:
		from = strconv.FormatInt(raw, 10)
		to = from
	case string:
		var isRange bool
		if from, to, isRange = strings.Cut(raw, "-"); !isRange {
			to = from
		}
	default:
		v.wrongType(`a status such as 204, or a range such as "200-299"`)
		return StatusRange{}, false
	}
	low, err := strconv.ParseUint(from, 10, 16)
	high, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || low < 200 || low > high || high > 599 {
		v.fail(`%v is neither a status from 200 to 599 nor a range such as "200-299"`, v.raw)
		return StatusRange{}, false
	}
	return StatusRange{int(low), int(high)}, true
}
