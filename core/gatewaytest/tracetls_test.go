package gatewaytest

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// secure returns the addresses of the collector behind TLS.
func (c *collector) secure(t *testing.T, pair *certs.Pair) map[string]string {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{pair.TLS}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	coltracepb.RegisterTraceServiceServer(s, c)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(); <-served })
	web := httptest.NewUnstartedServer(http.HandlerFunc(c.serveHTTP))
	web.TLS = config
	web.StartTLS()
	t.Cleanup(web.Close)
	return map[string]string{"grpc": "https://" + l.Addr().String(), "http": web.URL}
}

// A collector is believed only with a certificate that the config's authority has signed.
func TestTracesOverTLS(t *testing.T) {
	pair, other := certs.New(t, "127.0.0.1"), certs.New(t, "127.0.0.1")
	c := startCollector(t, nil)
	for protocol, endpoint := range c.secure(t, pair) {
		for _, ca := range []*certs.Pair{pair, other} {
			g := Start(t, tracingTOML(endpoint, "")+fmt.Sprintf("protocol = %q\ntimeout = \"2s\"\ntls = { ca = %q }\n", protocol, ca.CA)+
				"[[routes]]\nname = \"a\"\npath = \"/a\"\nrespond = {}\n")
			g.Get("/a")
			if ca == pair {
				c.tree(1)
				continue
			}
			Until(t, "the span is given up", func() bool { return g.traceState().Failed == 1 })
			if !strings.Contains(g.Logs(), "certificate") {
				t.Errorf("%s: the log does not say why:\n%s", protocol, g.Logs())
			}
		}
	}
}

// Headers, which may hold secrets, go nowhere else.
func TestTracesAreNotRedirected(t *testing.T) {
	c := startCollector(t, nil)
	from := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, c.http+"/v1/traces", http.StatusTemporaryRedirect)
	})
	g := Start(t, tracingTOML("http://"+from, "")+"protocol = \"http\"\ntimeout = \"1s\"\n[[routes]]\nname = \"a\"\npath = \"/a\"\nrespond = {}\n")
	g.Get("/a")
	Until(t, "the span is given up", func() bool { return g.traceState().Failed == 1 })
	if n := len(c.spans()); n > 0 {
		t.Errorf("%d spans have gone elsewhere", n)
	}
}
