package config

import (
	"net/url"
	"strings"
	"time"
)

// OTLP is the otlp table: the collector that telemetry is sent to.
type OTLP struct {
	Endpoint string // a URL, without the path that the protocol has for each signal
	Protocol string // "grpc" or "http"
	Headers  []NameValue
	Timeout  time.Duration
	TLS      *UpstreamTLS // nil: as the system's authorities say, or none with http://
}

func readOTLP(v value) OTLP {
	o := OTLP{Protocol: "grpc", Timeout: 10 * time.Second}
	otlpKeys().read(v, &o)
	if !v.holdsKeys() {
		return o
	}
	v.need("endpoint", `where the collector is, such as "http://127.0.0.1:4317"`)
	if v.has("tls") && strings.HasPrefix(o.Endpoint, "http:") {
		v.child("tls").fail("goes with an endpoint at https:// only")
	}
	if u, err := url.Parse(o.Endpoint); err == nil && u.Path != "" && o.Protocol == "grpc" {
		v.child("endpoint").fail("gRPC has no paths: leave %s out", u.Path)
	}
	return o
}

func otlpKeys() keys[OTLP] {
	return keys[OTLP]{
		{"endpoint", func(v value, o *OTLP) { readCollector(v, &o.Endpoint) }},
		{"protocol", func(v value, o *OTLP) { v.oneOf(&o.Protocol, "grpc", "http") }},
		{"headers", func(v value, o *OTLP) { readOTLPHeaders(v, &o.Headers) }},
		{"timeout", func(v value, o *OTLP) { v.duration(&o.Timeout, 100*time.Millisecond, time.Minute) }},
		{"tls", func(v value, o *OTLP) { o.TLS = readStoreTLS(v) }},
	}
}

// readOTLPHeaders takes what stands in the file itself for secrets, too: it is what a vendor knows its customer by.
func readOTLPHeaders(v value, dst *[]NameValue) {
	v.r.config.secrets[v.key] = true
	v.fieldList(dst)
}

// readCollector brings the URL into the form that paths of signals are added to.
func readCollector(v value, dst *string) {
	s, ok := v.text(`a URL such as "http://127.0.0.1:4317"`)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()):
		v.fail(`%q is no URL such as "http://127.0.0.1:4317"`, s)
	case u.User != nil:
		v.fail("a URL with a password ends up in logs: headers = { Authorization = … } is for that")
	case u.RawQuery != "" || u.Fragment != "":
		v.fail("%q: leave the query out", s)
	case strings.HasSuffix(u.Path, "/v1/traces") || strings.HasSuffix(u.Path, "/v1/metrics"):
		v.fail("leave the path of the signal out: it is added to %q", u.Scheme+"://"+u.Host)
	default:
		*dst = strings.TrimSuffix(u.String(), "/")
	}
}
