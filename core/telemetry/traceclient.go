package telemetry

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	grpccredentials "google.golang.org/grpc/credentials"
)

// tlsConfig returns what a collector is connected to with.
func tlsConfig(o OTLPOptions) *tls.Config {
	if o.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o.TLS.Clone()
}

func credentials(o OTLPOptions) grpccredentials.TransportCredentials {
	return grpccredentials.NewTLS(tlsConfig(o))
}

var errRedirected = errors.New("the collector redirects elsewhere: spans, and what the headers hold, go to the configured endpoint only")

// httpClient returns a client of the exporter's own: connections end with it.
func httpClient(o OTLPOptions) *http.Client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConns: 1, IdleConnTimeout: time.Minute}
	if isSecure(o) {
		t.TLSClientConfig = tlsConfig(o)
	}
	return &http.Client{
		Transport: t, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirected },
	}
}
