package config

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// LogFields returns the names that log.fields may hold.
func LogFields() []string {
	return []string{
		"time", "id", "trace_id", "span_id", "client", "peer", "method", "scheme", "host", "path", "query", "protocol", "status", "grpc_status",
		"route", "upstream", "endpoint", "tries", "received", "sent", "received_head", "sent_head", "chain_us", "connect_us", "sent_us", "answered_us", "total_us", "filters", "generation",
		"answered_by", "filter", "limit", "reason_code", "fault", "blame", "reason", "cause", "tls_version", "tls_cipher", "tls_server_name", "tls_resumed",
		"tls_client", "user_agent", "referer", "request_headers", "response_headers", "attributes", "sample",
	}
}

func readLog(v value, l *Log) {
	logKeys().read(v, l)
	if !v.holdsKeys() {
		return
	}
	if l.Format != "" {
		v.without("a format that has its own fields", "fields", "filters", "request_headers", "response_headers")
	}
	if l.Format == "" && len(l.Fields) > 0 {
		v.checkChosen(l)
	}
	if v.has("slow") && !v.has("sample") {
		v.child("slow").fail("has no effect without sample: every request has a line")
	}
}

// checkChosen holds what is captured against the fields that were chosen.
func (v value) checkChosen(l *Log) {
	for _, one := range []struct {
		name string
		on   bool
	}{{"filters", l.Filters}, {"request_headers", len(l.RequestHeaders) > 0}, {"response_headers", len(l.ResponseHeaders) > 0}} {
		switch chosen := slices.Contains(l.Fields, one.name); {
		case one.on && !chosen:
			v.child(one.name).fail("has no effect: %q is not among the fields", one.name)
		case chosen && !one.on:
			v.child("fields").fail("%q stays empty without log.%s", one.name, one.name)
		}
	}
}

func logKeys() keys[Log] {
	return keys[Log]{
		{"access", func(v value, l *Log) { readAccess(v, &l.Access) }},
		{"level", func(v value, l *Log) { v.oneOf(&l.Level, "debug", "info", "warn", "error") }},
		{"format", readLogFormat},
		{"fields", func(v value, l *Log) { readLogFields(v, &l.Fields) }},
		{"filters", func(v value, l *Log) { v.boolean(&l.Filters) }},
		{"request_headers", func(v value, l *Log) { readCaptured(v, &l.RequestHeaders) }},
		{"response_headers", func(v value, l *Log) { readCaptured(v, &l.ResponseHeaders) }},
		{"redact_query", func(v value, l *Log) { readRedacted(v, &l.RedactQuery) }},
		{"redact_attributes", func(v value, l *Log) { readRedacted(v, &l.RedactAttributes) }},
		{"sample", func(v value, l *Log) { readSample(v, l) }},
		{"slow", func(v value, l *Log) { v.duration(&l.Slow, time.Millisecond, longest) }},
	}
}

func readLogFormat(v value, l *Log) {
	v.oneOf(&l.Format, "json", "clf", "combined")
	if l.Format == "json" {
		l.Format = ""
	}
}

func readLogFields(v value, dst *[]string) {
	known := LogFields()
	v.texts(dst, "names of fields", func(e value, s string) (string, bool) {
		if slices.Contains(known, s) {
			return s, true
		}
		e.fail("%q is no field of the access log%s", s, didYouMean(s, known))
		return s, false
	})
	if list, ok := v.raw.([]any); ok && len(list) == 0 {
		v.fail("must hold at least one field")
	}
}

// maxCaptured is how many fields of one message a line may have.
const maxCaptured = 32

// readCaptured reads names of HTTP fields, which are the same in whatever case.
func readCaptured(v value, dst *[]string) {
	v.texts(dst, "field names", func(e value, s string) (string, bool) {
		if !isToken(s) {
			e.fail("%q is no field name", s)
			return s, false
		}
		return strings.ToLower(s), true
	})
	if len(*dst) > maxCaptured {
		v.fail("holds %d fields, at most %d are possible", len(*dst), maxCaptured)
	}
}

// maxRedacted bounds the names of what is redacted.
const maxRedacted = 63

func readRedacted(v value, dst *[]string) {
	v.texts(dst, "names", func(e value, s string) (string, bool) {
		if len(s) > maxRedacted {
			e.fail("is longer than %d bytes", maxRedacted)
			return s, false
		}
		return s, true
	})
}

// readSample reads shares by classes of statuses.
func readSample(v value, l *Log) {
	if !v.isTable() {
		return
	}
	classes := []string{"1xx", "2xx", "3xx", "4xx", "5xx"}
	l.Sample = map[string]float64{}
	for _, name := range v.names() {
		e := v.child(name)
		if !slices.Contains(classes, name) {
			e.fail("%q is none of %s%s", name, quoted(classes), didYouMean(name, classes))
			continue
		}
		if share, ok := e.share(); ok {
			l.Sample[name] = share
		}
	}
}

// share reads a number from 0 to 1.
func (v value) share() (float64, bool) {
	share := -1.0
	switch raw := v.raw.(type) {
	case float64:
		share = raw
	case int64:
		share = float64(raw)
	default:
		v.wrongType("a share from 0.0 to 1.0")
		return 0, false
	}
	if !(share >= 0 && share <= 1) {
		v.fail("is %v, must be from 0.0 to 1.0", v.raw)
		return 0, false
	}
	return share, true
}

// readAccess refuses a lone word that is neither of the two known ones: it would silently make a file of that name.
func readAccess(v value, dst *string) {
	s, ok := v.text(`"stdout", "off" or a path`)
	switch {
	case !ok:
	case s == "stdout" || s == "off":
		*dst = s
	case filepath.Base(s) == s && filepath.Ext(s) == "":
		v.fail(`%q is neither "stdout" nor "off" nor a path%s (a file in the config's folder is written "./%s")`,
			s, didYouMean(s, []string{"stdout", "off"}), s)
	default:
		v.path(dst)
	}
}

// readAccessLog reads whether a route's exchanges have lines.
func readAccessLog(v value, r *Route) {
	logged := true
	v.boolean(&logged)
	r.Unlogged = !logged
}
