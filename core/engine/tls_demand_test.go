package engine

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// demands are what a listener may ask of clients, from nothing at all on.
func demands(t *testing.T) (byName map[string]*TLS, pair, client *certs.Pair) {
	servers, clients, others := certs.NewAuthority(t), certs.NewAuthority(t), certs.NewAuthority(t)
	pair, client = servers.Issue(t, "a.example"), clients.Issue(t, "someone")
	secured := func(mode tls.ClientAuthType, ca *certs.Authority) *TLS {
		o := secureWith(pair)
		o.ClientAuth = mode
		if ca != nil {
			o.ClientCAs = ca.Pool
		}
		return NewTLS(o)
	}
	return map[string]*TLS{
		"plain":              nil,
		"tls":                secured(tls.NoClientCert, nil),
		"request":            secured(tls.RequestClientCert, nil),
		"if given":           secured(tls.VerifyClientCertIfGiven, clients),
		"if given by others": secured(tls.VerifyClientCertIfGiven, others),
		"require":            secured(tls.RequireAndVerifyClientCert, clients),
		"require again":      secured(tls.RequireAndVerifyClientCert, clients),
		"require others":     secured(tls.RequireAndVerifyClientCert, others),
	}, pair, client
}

// TestMoreDemandedOfClients: a connection made under less does not get past what is demanded now, be it at rest, at work or of many
// requests at once; where no more is demanded it goes on.
func TestMoreDemandedOfClients(t *testing.T) {
	byName, pair, client := demands(t)
	tests := []struct {
		before, after string
		goesOn        bool
	}{
		{"plain", "plain", true},
		{"plain", "tls", false},
		{"plain", "require", false},
		{"tls", "plain", true},
		{"tls", "request", true},
		{"tls", "if given", true},
		{"tls", "require", false},
		{"request", "require", false},
		{"if given", "require", false},
		{"if given", "if given by others", false},
		{"if given", "tls", true},
		{"require", "require again", true},
		{"require", "require others", false},
		{"require", "if given", true},
		{"require", "tls", true},
	}
	for _, tt := range tests {
		t.Run(tt.before+" to "+tt.after, func(t *testing.T) {
			entered, leave := make(chan struct{}, 2), make(chan struct{})
			l, _ := start(t, Options{TLS: byName[tt.before]}, func(x *exchange.Exchange) {
				if x.Req.Path == "/slow" {
					entered <- struct{}{}
					<-leave
				}
				answer200(x, "")
			})
			rest := overTLS(t, byName[tt.before], pair, client, dial(t, l))
			ask(t, rest, "a.example")
			work := overTLS(t, byName[tt.before], pair, client, dial(t, l))
			ask(t, rest, "a.example")
			send(t, work, "GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
			<-entered
			l.SetOptions(Options{TLS: byName[tt.after]})
			close(leave)
			first := readMessage(t, work)
			if tt.goesOn {
				ask(t, rest, "a.example")
				readMessage(t, work)
				ask(t, work, "a.example")
				return
			}
			if !strings.HasPrefix(first, "HTTP/1.1 200") || !strings.Contains(first, closing) {
				t.Errorf("the answer under way: got %q, want it whole and the last", first)
			}
			if more := readAll(t, work); more != "" {
				t.Errorf("got %q behind it", more)
			}
			if more := readAll(t, rest); more != "" {
				t.Errorf("at rest: got %q", more)
			}
		})
	}
}

// overTLS shakes hands as that client, unless there is nothing to be secured.
func overTLS(t *testing.T, o *TLS, pair, client *certs.Pair, nc net.Conn) net.Conn {
	t.Helper()
	if o == nil {
		return nc
	}
	over := tls.Client(nc, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, Certificates: []tls.Certificate{client.TLS}})
	if err := over.Handshake(); err != nil {
		t.Fatal(err)
	}
	return over
}

// TestMoreDemandedOfHTTP2Clients: they are told to come again, too, and only once.
func TestMoreDemandedOfHTTP2Clients(t *testing.T) {
	byName, _, _ := demands(t)
	l, _ := start(t, Options{HTTP2: true}, func(x *exchange.Exchange) { answer200(x, "") })
	c := dialHTTP2(t, l)
	c.get(1, "/")
	c.answer(1)
	for range 3 {
		l.SetOptions(Options{HTTP2: true, TLS: byName["require"]})
	}
	for c.next() {
	}
	if len(c.goAways) != 2 || c.goAways[1].LastStreamID != 1 {
		t.Errorf("got GOAWAY %v, want a warning and then the last stream", c.goAways)
	}
	eventually(t, "the connection is gone", func() bool { return len(openHTTP2(l)) == 0 })
}
