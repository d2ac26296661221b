package telemetry

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	grpccredentials "google.golang.org/grpc/credentials"
)

// OTLPOptions say where and how telemetry is sent by the OpenTelemetry protocol. The environment's OTEL_ variables change nothing of it.
type OTLPOptions struct {
	Endpoint string // http:// or https://, host and port, for HTTP perhaps a path that those of the signals are behind
	HTTP     bool   // not gRPC
	Headers  map[string]string
	Timeout  time.Duration // of one sending, with its further tries
	TLS      *tls.Config   // with https; nil: the system's authorities
	Service  string        // service.name
}

// maxFlush is how long the end of what sends waits for a collector.
const maxFlush = 5 * time.Second

func (o *OTLPOptions) isSecure() bool { return strings.HasPrefix(o.Endpoint, "https:") }

// patience is how long the last sending may take.
func (o *OTLPOptions) patience() time.Duration { return min(o.Timeout, maxFlush) }

// firstPause is the first of those between tries, each of which is longer.
func (o *OTLPOptions) firstPause() time.Duration { return min(o.Timeout/8, time.Second) }

// lowerHeaders returns the headers with names as gRPC demands them.
func (o *OTLPOptions) lowerHeaders() map[string]string {
	lower := make(map[string]string, len(o.Headers))
	for name, value := range o.Headers {
		lower[strings.ToLower(name)] = value
	}
	return lower
}

func (o *OTLPOptions) tlsConfig() *tls.Config {
	if o.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o.TLS.Clone()
}

func (o *OTLPOptions) credentials() grpccredentials.TransportCredentials {
	return grpccredentials.NewTLS(o.tlsConfig())
}

var errRedirected = errors.New("the collector redirects elsewhere: what is sent, and what the headers hold, go to the configured endpoint only")

// httpClient returns a client of the exporter's own: connections end with it.
func (o *OTLPOptions) httpClient() *http.Client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute}
	if o.isSecure() {
		t.TLSClientConfig = o.tlsConfig()
	}
	return &http.Client{
		Transport: t, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirected },
	}
}

// trouble tells how sending goes, once for each change.
type trouble struct {
	log      *slog.Logger
	what     string // is sent
	endpoint string
	failing  atomic.Bool
}

// note takes the outcome of one sending; more is told when it goes well again.
func (t *trouble) note(err error, more ...any) {
	switch failing := err != nil; {
	case t.failing.Swap(failing) == failing:
	case failing:
		t.log.Warn(t.what+" cannot be sent to the collector", "endpoint", t.endpoint, "error", err.Error())
	default:
		t.log.Info(t.what+" are sent to the collector again", append([]any{"endpoint", t.endpoint}, more...)...)
	}
}
