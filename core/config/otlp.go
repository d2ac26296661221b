package config

import (
	"net/url"
	"strings"
	"time"
)

// OTLP is an otlp table: the collector that telemetry of one kind is sent to, by the OpenTelemetry protocol.
type OTLP struct {
	Endpoint string // a URL, without the path that the protocol has for each signal
	Protocol string // "grpc" or "http"
	Headers  map[string]Secret
	Timeout  time.Duration
	TLS      *UpstreamTLS // nil: as the system's authorities say, or none with http://
}

// readOTLP reads a table of these keys; o is the part of what they read that every otlp table has.
func readOTLP[T any](v value, k keys[T], dst *T, o *OTLP) {
	o.Protocol, o.Timeout = "grpc", 10*time.Second
	k.read(v, dst)
	if !v.holdsKeys() {
		return
	}
	v.need("endpoint", `where the collector is, such as "http://127.0.0.1:4317"`)
	if v.has("tls") && strings.HasPrefix(o.Endpoint, "http:") {
		v.child("tls").fail("goes with an endpoint at https:// only")
	}
	if u, err := url.Parse(o.Endpoint); err == nil && u.Path != "" && o.Protocol == "grpc" {
		v.child("endpoint").fail("gRPC has no paths: leave %s out", u.Path)
	}
}

func otlpKeys() keys[OTLP] {
	return keys[OTLP]{
		{"endpoint", func(v value, o *OTLP) { readCollector(v, &o.Endpoint) }},
		{"protocol", func(v value, o *OTLP) { v.oneOf(&o.Protocol, "grpc", "http") }},
		{"headers", func(v value, o *OTLP) { readSecretFields(v, &o.Headers) }},
		{"timeout", func(v value, o *OTLP) { v.duration(&o.Timeout, 100*time.Millisecond, time.Minute) }},
		{"tls", func(v value, o *OTLP) { o.TLS = readStoreTLS(v) }},
	}
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

// readSecretFields reads fields that are sent along, name = value. What stands in the file itself is taken for a secret, too: it is what a
// vendor knows its customer by.
func readSecretFields(v value, dst *map[string]Secret) {
	if !v.isTable() {
		return
	}
	fields, seen := map[string]Secret{}, map[string]string{}
	for _, name := range v.names() {
		e := v.child(name)
		secret := readNamedSecret(e, "")
		lower := strings.ToLower(name)
		switch before, twice := seen[lower]; {
		case !e.checkFieldName(name):
		case twice:
			e.fail("%s and %s are the same field", name, before)
		case !isFieldValue(secret.Reveal()):
			e.fail("the value has a control character, or space at an end")
		default:
			fields[name] = secret
		}
		seen[lower] = name
	}
	*dst = fields
}

// readService reads what the gateway is called where the telemetry of many services comes together.
func readService(v value, dst *string) {
	s, ok := v.text("what the gateway is called")
	switch {
	case !ok:
	case len(s) > 255 || !isFieldValue(s):
		v.fail("%q is no name for a service: up to 255 bytes, without control characters and spaces at an end", s)
	default:
		*dst = s
	}
}
