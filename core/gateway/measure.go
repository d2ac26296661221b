package gateway

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/metrics"
	"github.com/sallyport/sallyport/core/telemetry"
)

// maxPoints is the most series of one metric that are told: what a config can make many of, such as limits and endpoints, stays bounded.
const maxPoints = 20_000

// The labels of the gateway's own metrics.
const (
	labelRoute    = "sallyport.route"
	labelUpstream = "sallyport.upstream"
	labelPlugin   = "sallyport.plugin"
	labelLimit    = "sallyport.limit"
	labelStore    = "sallyport.store"
	labelListener = "sallyport.listener"
	labelOutcome  = "sallyport.outcome"
	labelFault    = "sallyport.fault"
	labelSide     = "sallyport.side"
	labelCause    = "sallyport.cause"
	labelState    = "sallyport.state"
	labelBranch   = "sallyport.branch"
	labelAddress  = "server.address"
	labelMethod   = "http.request.method"
	labelStatus   = "http.response.status_code"
	labelPath     = "http.route"
	labelScheme   = "url.scheme"
	labelError    = "error.type"
	labelVersion  = "network.protocol.version"
)

// measures collects metrics.
type measures struct {
	list []*telemetry.Metric
}

func (m *measures) add(kind telemetry.Kind, name, unit, help string, labels ...string) *telemetry.Metric {
	metric := &telemetry.Metric{Name: name, Unit: unit, Help: help, Kind: kind, Labels: labels}
	m.list = append(m.list, metric)
	return metric
}

func (m *measures) counter(name, unit, help string, labels ...string) *telemetry.Metric {
	return m.add(telemetry.Counter, name, unit, help, labels...)
}

func (m *measures) gauge(name, unit, help string, labels ...string) *telemetry.Metric {
	return m.add(telemetry.Gauge, name, unit, help, labels...)
}

func (m *measures) histogram(name, unit, help string, bounds []time.Duration, labels ...string) *telemetry.Metric {
	metric := m.add(telemetry.Histogram, name, unit, help, labels...)
	for _, d := range bounds {
		metric.Bounds = append(metric.Bounds, d.Seconds())
	}
	return metric
}

// point adds a series with values for the metric's labels, in their order; "" leaves a label out.
func point[N uint64 | int64 | int | float64](m *telemetry.Metric, value N, labels ...string) {
	addPoint(m, telemetry.Point{Value: float64(value)}, labels)
}

func observed(m *telemetry.Metric, h *metrics.Histogram, labels ...string) {
	addPoint(m, telemetry.Point{Sum: h.Sum.Seconds(), Counts: h.Counts}, labels)
}

func addPoint(m *telemetry.Metric, p telemetry.Point, labels []string) {
	if len(m.Points) == maxPoints {
		m.Omitted++
		return
	}
	p.Labels = labelled(m, labels)
	m.Points = append(m.Points, p)
}

func labelled(m *telemetry.Metric, values []string) []telemetry.Label {
	list := make([]telemetry.Label, 0, len(values))
	for i, value := range values {
		if value != "" || m.Labels[i] == labelRoute {
			list = append(list, telemetry.Label{Name: m.Labels[i], Value: value})
		}
	}
	return list
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

// Metrics returns what there is to tell at the moment, those metrics included that have no series yet. It takes no lock that exchanges
// wait for, and none that a reload holds for long.
func (g *Gateway) Metrics() []telemetry.Metric {
	m := &measures{}
	g.measureSelf(m)
	g.measureListeners(m)
	g.measureRoutes(m)
	g.measureUpstreams(m)
	if s := g.current.Load(); s != nil {
		s.measureUpstreams(m)
		s.measureEndpoints(m)
		s.measureTraffic(m)
		s.measureLimits(m)
		g.measurePlugins(m, s)
		s.measureOwn(m)
	}
	omitted := 0
	for _, metric := range m.list {
		omitted += metric.Omitted
	}
	point(m.gauge("sallyport.metrics.omitted", "{series}", "Series that are not told, since their metrics have too many."), omitted)
	all := make([]telemetry.Metric, len(m.list))
	for i, metric := range m.list {
		all[i] = *metric
	}
	return all
}

func (g *Gateway) measureSelf(m *measures) {
	point(m.gauge("sallyport.build.info", "", "Always 1; its labels tell which gateway this is.", "service.version"), 1, g.Version)
	n := g.reloads.read()
	reloads := m.counter("sallyport.config.reloads", "{reload}", "Changes of the config, or of files that it names, that were applied or refused.", labelOutcome)
	point(reloads, n.Succeeded, "succeeded")
	point(reloads, n.Failed, "failed")
	point(m.gauge("sallyport.config.last_reload.successful", "", "1 if the config in force is what the file says, 0 if the file was refused."), bit(!n.LastFailed))
	last := m.gauge("sallyport.config.last_success.time", "s", "When the config in force was applied, in seconds since 1970.")
	generation := m.gauge("sallyport.config.generation", "{generation}", "The number of the config in force; it grows with each that is built.")
	if s := g.current.Load(); s != nil {
		point(last, float64(n.LastSuccess.UnixMilli())/1e3)
		point(generation, s.Generation)
	}
	point(m.gauge("sallyport.exchanges.active", "{exchange}", "Requests that are being served."), g.ledger.active())
	point(m.counter("sallyport.log.dropped", "{line}", "Lines of the access log that were dropped since they could not be written fast enough."), g.AccessDropped())
}

func (g *Gateway) measureListeners(m *measures) {
	open := m.gauge("sallyport.listener.connections", "{connection}", "Connections that are open.", labelListener, labelVersion)
	accepted := m.counter("sallyport.listener.accepted", "{connection}", "Connections that were accepted. Those that have not spoken HTTP/2 count as 1.1.", labelListener, labelVersion)
	refused := m.counter("sallyport.listener.refused", "{connection}", "Connections that were closed at once since their client had too many.", labelListener)
	handshakes := m.counter("sallyport.listener.tls.handshakes", "{handshake}", "TLS handshakes.", labelListener, labelOutcome)
	unserved := m.counter("sallyport.listener.unserved", "{stream}", "HTTP/2 streams that ended before they were requests.", labelListener)
	listening := g.listening.Load()
	if listening == nil {
		return
	}
	for _, address := range slices.Sorted(maps.Keys(*listening)) {
		n := (*listening)[address].Counts()
		point(open, n.Open-n.OpenHTTP2, address, "1.1")
		point(open, n.OpenHTTP2, address, "2")
		point(accepted, n.Accepted-n.AcceptedHTTP2, address, "1.1")
		point(accepted, n.AcceptedHTTP2, address, "2")
		point(refused, n.Refused, address)
		point(handshakes, n.Handshakes, address, "succeeded")
		point(handshakes, n.HandshakesFailed, address, "failed")
		point(unserved, n.Unserved, address)
	}
}

// measureRoutes tells of what the book has counted by route. Exchanges without one have the empty route.
func (g *Gateway) measureRoutes(m *measures) {
	durations := m.histogram("http.server.request.duration", "s", "How long requests took, from the first byte of the head to the last of the answer.",
		metrics.DurationBounds(), labelRoute, labelPath, labelMethod, labelStatus, labelScheme)
	overhead := m.histogram("sallyport.route.overhead", "s", "What the gateway added to requests that one upstream answered at once and in one piece: all but the wait for it.",
		metrics.OverheadBounds(), labelRoute)
	received := m.counter("sallyport.route.received", "By", "Content of requests.", labelRoute)
	sent := m.counter("sallyport.route.sent", "By", "Content of answers.", labelRoute)
	faults := m.counter("sallyport.route.faults", "{fault}", "Requests that went wrong, by what it was and who is to blame.", labelRoute, labelFault, labelSide)
	for _, r := range g.book.Routes() {
		for i := range r.Durations {
			d := &r.Durations[i]
			observed(durations, &d.Histogram, r.Name, r.Path, d.Method, statusText(d.Status), scheme(d.Secure))
		}
		if r.Overhead.Count > 0 {
			observed(overhead, &r.Overhead, r.Name)
		}
		point(received, r.Received, r.Name)
		point(sent, r.Sent, r.Name)
		for _, f := range r.Faults {
			point(faults, f.Count, r.Name, f.Kind, f.Side)
		}
	}
}

func (g *Gateway) measureUpstreams(m *measures) {
	durations := m.histogram("http.client.request.duration", "s", "How long upstreams took from the request's head to the answer's, or until there was a fault instead. server.address is the upstream's name.",
		metrics.DurationBounds(), labelUpstream, labelAddress, labelMethod, labelStatus, labelError)
	retries := m.counter("sallyport.upstream.retries", "{retry}", "Further tries of requests.", labelUpstream)
	for _, u := range g.book.Upstreams() {
		for i := range u.Answers {
			a := &u.Answers[i]
			observed(durations, &a.Histogram, u.Name, u.Name, a.Method, statusText(a.Status), a.Error)
		}
		point(retries, u.Retries, u.Name)
	}
}

func statusText(status int) string {
	if status == 0 {
		return ""
	}
	return strconv.Itoa(status)
}

func scheme(secure bool) string {
	if secure {
		return "https"
	}
	return "http"
}

// sortedKeys returns the keys of a map in order, so that what is left out beyond maxPoints is always the same.
func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }

func byPlace(a, b place) int {
	return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Plugin, b.Plugin))
}
