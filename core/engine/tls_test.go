package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
)

func secureWith(pairs ...*certs.Pair) TLSOptions {
	o := TLSOptions{MinVersion: tls.VersionTLS12}
	for _, p := range pairs {
		o.Certificates = append(o.Certificates, &p.TLS)
	}
	return o
}

// dialTLS shakes hands; a nil config trusts the pair.
func dialTLS(t testing.TB, l *Listener, config *tls.Config) *tls.Conn {
	t.Helper()
	nc := tls.Client(dial(t, l), config)
	if err := nc.Handshake(); err != nil {
		t.Fatal(err)
	}
	return nc
}

func TestSNIChoice(t *testing.T) {
	ca := certs.NewAuthority(t)
	first := ca.Issue(t, "First.Example", "both.example")
	wild := ca.Issue(t, "*.wild.example")
	exact := ca.Issue(t, "one.wild.example", "both.example")
	for _, c := range []struct {
		name          string
		want, refused *certs.Pair // refused: with strict_sni
	}{
		{name: "first.example", want: first},
		{name: "FIRST.example", want: first},
		{name: "both.example", want: first},
		{name: "one.wild.example", want: exact},
		{name: "two.wild.example", want: wild},
		{name: "TWO.Wild.Example", want: wild},
		{name: "a.two.wild.example", refused: first},
		{name: "wild.example", refused: first},
		{name: "*.wild.example", refused: first},
		{name: "elsewhere.example", refused: first},
		{name: "", refused: first},
	} {
		for _, strict := range []bool{false, true} {
			o := secureWith(first, wild, exact)
			o.StrictSNI = strict
			l, _ := start(t, Options{TLS: NewTLS(o)}, tell)
			nc := tls.Client(dial(t, l), &tls.Config{ServerName: c.name, InsecureSkipVerify: true}) // the choice is what counts here
			err := nc.Handshake()
			if c.refused != nil && strict {
				if err == nil || !strings.Contains(err.Error(), "remote error: tls: unrecognized name") {
					t.Errorf("%q, strict: got %v, want unrecognized_name", c.name, err)
				}
				continue
			}
			want := c.want
			if want == nil {
				want = c.refused
			}
			if err != nil {
				t.Errorf("%q, strict %v: %v", c.name, strict, err)
			} else if got := nc.ConnectionState().PeerCertificates[0]; !got.Equal(want.TLS.Leaf) {
				t.Errorf("%q, strict %v: got the certificate of %v, want %v", c.name, strict, got.DNSNames, want.TLS.Leaf.DNSNames)
			}
		}
	}
}

func TestStrictSNIHoldsForResumption(t *testing.T) {
	pair := certs.New(t, "a.example")
	o := secureWith(pair)
	o.StrictSNI = true
	l, _ := start(t, Options{TLS: NewTLS(o)}, tell)
	cache := tls.NewLRUClientSessionCache(1)
	ask(t, dialTLS(t, l, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, ClientSessionCache: cache}), "a.example")
	session, ok := cache.Get("a.example")
	if !ok {
		t.Fatal("no ticket")
	}
	cache.Put("b.example", session)
	err := tls.Client(dial(t, l), &tls.Config{ServerName: "b.example", InsecureSkipVerify: true, ClientSessionCache: cache}).Handshake()
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("got %v, want unrecognized_name", err)
	}
}

// ask sends a request and returns the answer.
func ask(t testing.TB, nc net.Conn, host string) string {
	t.Helper()
	send(t, nc, "GET /x HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	return readMessage(t, nc)
}

// readMessage reads a head and as much content as its Content-Length says.
func readMessage(t testing.TB, nc io.Reader) string {
	t.Helper()
	head := readTo(t, nc, "\r\n\r\n")
	var n int
	if _, rest, ok := strings.Cut(head, "Content-Length: "); ok {
		if _, err := fmt.Sscanf(rest, "%d", &n); err != nil {
			t.Fatal(err)
		}
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(nc, body); err != nil {
		t.Fatal(err)
	}
	return head + string(body)
}

func TestOverTLS(t *testing.T) {
	pair := certs.New(t, "a.example")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		l, _ := start(t, Options{TLS: NewTLS(secureWith(pair))}, func(x *exchange.Exchange) {
			if x.Req.Scheme != "https" || x.Req.Fields.Value("X-Forwarded-Proto") != "https" || x.TLS == nil || x.TLS.ServerName != "a.example" {
				t.Errorf("got %s %s %+v", x.Req.Scheme, x.Req.Fields.Value("X-Forwarded-Proto"), x.TLS)
			}
			tell(x)
		})
		nc := dialTLS(t, l, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, MaxVersion: version})
		want := told(`GET /x? a.example ""`)
		for range 3 * enoughLooks { // both ways of looking for more
			if got := ask(t, nc, "a.example"); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		// A head in many records, several heads in one, content behind a head and content to be waited for.
		for _, piece := range strings.SplitAfter("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", "") {
			send(t, nc, piece)
		}
		send(t, nc, strings.Repeat("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", 3))
		for range 4 {
			if got := readMessage(t, nc); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		content := strings.Repeat("x", 100_000)
		send(t, nc, "POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n"+content+"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
		if got, want := readMessage(t, nc), told(`POST /x? a.example "`+content+`"`); got != want {
			t.Fatalf("got %d bytes, want %d", len(got), len(want))
		}
		if got := readMessage(t, nc); got != want {
			t.Fatalf("behind content: got %q, want %q", got, want)
		}
		// The end is told by an alert, not by the socket's end alone.
		send(t, nc, "GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
		if got := readAll(t, nc); !strings.HasSuffix(got, `GET /x? a.example ""`) {
			t.Fatalf("got %q", got)
		}
	}
}

func TestManyRecordsInOneRead(t *testing.T) {
	pair := certs.New(t, "a.example")
	l, _ := start(t, Options{TLS: NewTLS(secureWith(pair))}, tell)
	gather := &gatherer{Conn: dial(t, l)}
	nc := tls.Client(gather, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool})
	if err := nc.Handshake(); err != nil {
		t.Fatal(err)
	}
	for range 3 * enoughLooks {
		gather.on = true
		for range 5 {
			send(t, nc, "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
		}
		gather.flush(t)
		for range 5 {
			if got, want := readMessage(t, nc), told(`GET /x? a.example ""`); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
}

// gatherer sends what was written at once.
type gatherer struct {
	net.Conn
	on   bool
	held bytes.Buffer
}

func (g *gatherer) Write(p []byte) (int, error) {
	if g.on {
		return g.held.Write(p)
	}
	return g.Conn.Write(p)
}

func (g *gatherer) flush(t testing.TB) {
	t.Helper()
	g.on = false
	if err := g.SetWriteDeadline(time.Time{}); err != nil { // one that has passed is what CloseWrite leaves
		t.Fatal(err)
	}
	if _, err := g.held.WriteTo(g.Conn); err != nil {
		t.Fatal(err)
	}
}

func TestMisdirected(t *testing.T) {
	ca := certs.NewAuthority(t)
	pair, other := ca.Issue(t, "a.example", "b.example", "*.c.example", "127.0.0.1"), ca.Issue(t, "other.example")
	l, _ := start(t, Options{TLS: NewTLS(secureWith(pair, other))}, tell)
	for _, c := range []struct {
		sni, host string
		want      int
	}{
		{"a.example", "a.example", 200},
		{"a.example", "A.example:8443", 200},
		{"a.example", "b.example", 200},
		{"a.example", "x.c.example", 200},
		{"a.example", "127.0.0.1:99", 200},
		{"a.example", "other.example", 421},
		{"a.example", "x.y.c.example", 421},
		{"a.example", "[::1]:1", 421},
		{"unknown.example", "unknown.example", 200}, // the first certificate stands for names that none has
		{"unknown.example", "other.example", 421},
		{"", "other.example", 200}, // no name was asked for
	} {
		nc := dialTLS(t, l, &tls.Config{ServerName: c.sni, InsecureSkipVerify: true}) // Host and name differ on purpose
		for range 2 {
			if got := ask(t, nc, c.host); !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", c.want)) {
				t.Errorf("%q, Host %q: got %q, want %d", c.sni, c.host, got, c.want)
			}
			// The connection serves its own host all the same.
			if got := ask(t, nc, "a.example"); c.sni == "a.example" && !strings.HasPrefix(got, "HTTP/1.1 200 ") {
				t.Errorf("%q behind Host %q: got %q, want 200", c.sni, c.host, got)
			}
		}
	}
}

func TestClientAuth(t *testing.T) {
	servers, clients, strangers := certs.NewAuthority(t), certs.NewAuthority(t), certs.NewAuthority(t)
	pair := servers.Issue(t, "a.example")
	good, bad := clients.Issue(t, "someone"), strangers.Issue(t, "stranger")
	const none, refused = "", "refused"
	for _, c := range []struct {
		mode tls.ClientAuthType
		cert *certs.Pair
		want string // the subject that is believed
	}{
		{tls.NoClientCert, nil, none},
		{tls.NoClientCert, good, none},
		{tls.RequestClientCert, nil, none},
		{tls.RequestClientCert, good, none},
		{tls.RequestClientCert, bad, none},
		{tls.VerifyClientCertIfGiven, nil, none},
		{tls.VerifyClientCertIfGiven, good, "CN=someone"},
		{tls.VerifyClientCertIfGiven, bad, refused},
		{tls.RequireAndVerifyClientCert, nil, refused},
		{tls.RequireAndVerifyClientCert, good, "CN=someone"},
		{tls.RequireAndVerifyClientCert, bad, refused},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			o := secureWith(pair)
			o.ClientAuth, o.ClientCAs = c.mode, clients.Pool
			believed := none
			l, _ := start(t, Options{TLS: NewTLS(o)}, func(x *exchange.Exchange) {
				if len(x.TLS.VerifiedChains) > 0 {
					believed = x.TLS.VerifiedChains[0][0].Subject.String()
				}
				if got, want := x.Req.Fields.Value("Client-Cert") != "", believed != none; got != want {
					t.Errorf("Client-Cert: got %v, want %v", got, want)
				}
				tell(x)
			})
			config := &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, MaxVersion: version}
			if c.cert != nil { // whatever the server says whom it trusts
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.cert.TLS, nil }
			}
			nc := tls.Client(dial(t, l), config)
			_, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
			if err == nil {
				_, err = nc.Read(make([]byte, 1))
			}
			got := believed
			if err != nil {
				got = refused
			}
			if got != c.want {
				t.Errorf("%v, %v, %x: got %q (%v), want %q", c.mode, c.cert != nil, version, got, err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "remote error: tls: ") {
				t.Errorf("%v: the client is not told by an alert: %v", c.mode, err)
			}
		}
	}
}

func TestResumption(t *testing.T) {
	pair, clients := certs.New(t, "a.example"), certs.New(t, "someone")
	strict := secureWith(pair)
	strict.ClientAuth, strict.ClientCAs = tls.RequireAndVerifyClientCert, clients.Pool
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		made := NewTLS(secureWith(pair))
		l, _ := start(t, Options{TLS: made}, tell)
		config := &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		resumed := func() bool {
			nc := dialTLS(t, l, config)
			ask(t, nc, "a.example") // a ticket comes with the first bytes that are read
			return nc.ConnectionState().DidResume
		}
		if resumed() || !resumed() {
			t.Fatal("a second connection must resume the first one's session, and only that")
		}
		l.SetOptions(Options{TLS: made, BodyTimeout: time.Minute})
		if !resumed() {
			t.Error("a reload that leaves TLS as it is ends sessions")
		}
		l.SetOptions(Options{TLS: NewTLS(strict)})
		nc := tls.Client(dial(t, l), config)
		_, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
		if err == nil {
			_, err = nc.Read(make([]byte, 1))
		}
		if err == nil || nc.ConnectionState().DidResume {
			t.Error("a session from before got past client authentication")
		}
	}
}

func TestResumedSessionIsMisdirectedToo(t *testing.T) {
	pair := certs.New(t, "a.example")
	l, _ := start(t, Options{TLS: NewTLS(secureWith(pair))}, tell)
	config := &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	ask(t, dialTLS(t, l, config), "a.example")
	nc := dialTLS(t, l, config)
	if !nc.ConnectionState().DidResume {
		t.Fatal("not resumed")
	}
	if got := ask(t, nc, "b.example"); !strings.HasPrefix(got, "HTTP/1.1 421 ") {
		t.Errorf("got %q, want 421", got)
	}
}

func TestNewCertificatesLeaveConnectionsAlone(t *testing.T) {
	before, after := certs.New(t, "a.example"), certs.New(t, "a.example")
	l, _ := start(t, Options{TLS: NewTLS(secureWith(before))}, tell)
	open := dialTLS(t, l, &tls.Config{ServerName: "a.example", RootCAs: before.Pool})
	ask(t, open, "a.example")
	l.SetOptions(Options{TLS: NewTLS(secureWith(after))})
	dialTLS(t, l, &tls.Config{ServerName: "a.example", RootCAs: after.Pool})
	if got, want := ask(t, open, "a.example"), told(`GET /x? a.example ""`); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainOnTLS(t *testing.T) {
	var log output.Text
	l := startDebug(t, Options{TLS: NewTLS(secureWith(certs.New(t, "a.example")))}, &log)
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "POST /x HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 100_000)} {
		got := talk(t, l, request)
		if !strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n") || !strings.HasSuffix(got, "\r\n\r\nclient sent HTTP to an HTTPS port\n") {
			t.Errorf("got %q", got)
		}
		if readMessage(t, strings.NewReader(got)) != got {
			t.Errorf("Content-Length is wrong in %q", got)
		}
	}
	eventually(t, "the log", func() bool { return strings.Count(log.String(), "TLS handshake failed") == 2 })
	if !strings.Contains(log.String(), "level=DEBUG") {
		t.Errorf("got %s", log.String())
	}
}

// startDebug is start with a log of everything.
func startDebug(t testing.TB, o Options, log io.Writer) *Listener {
	t.Helper()
	h := &fake{t: t, serve: tell, served: map[uint64]bool{}, ended: map[uint64]bool{}}
	l, err := New(h, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))).Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(func() { drainNow(t, l) })
	return l
}

func drainNow(t testing.TB, l *Listener) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		t.Errorf("drain: %v", err)
	}
}

// TestSlowHandshake: it ends after head_timeout however slowly it goes on, and takes up a connection meanwhile.
func TestSlowHandshake(t *testing.T) {
	l, _ := start(t, Options{TLS: NewTLS(secureWith(certs.New(t, "a.example"))), HeadTimeout: 50 * time.Millisecond}, tell)
	for _, first := range []string{"", "\x16", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
		nc := dial(t, l)
		send(t, nc, first)
		if n, err := nc.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: got %d, %v, want the end", first, n, err)
		}
	}
}

func TestHandshakesCountAndDrain(t *testing.T) {
	l := startDebug(t, Options{TLS: NewTLS(secureWith(certs.New(t, "a.example"))), HeadTimeout: time.Hour}, io.Discard)
	dial(t, l)
	eventually(t, "the handshake counts", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.conns) == 1
	})
	drainNow(t, l) // does not wait for the hour
}

func TestALPN(t *testing.T) {
	pair := certs.New(t, "a.example")
	for _, c := range []struct {
		http2 bool
		offer []string
		want  string
	}{
		{true, []string{"h2", "http/1.1"}, "h2"},
		{true, []string{"http/1.1"}, "http/1.1"},
		{true, nil, ""},
		{false, []string{"h2", "http/1.1"}, "http/1.1"},
		{false, []string{"http/1.0"}, "http/1.0"},
	} {
		l, _ := start(t, Options{TLS: NewTLS(secureWith(pair)), HTTP2: c.http2}, tell)
		nc := dialTLS(t, l, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, NextProtos: c.offer})
		if got := nc.ConnectionState().NegotiatedProtocol; got != c.want {
			t.Errorf("%v %v: got %q, want %q", c.http2, c.offer, got, c.want)
		}
	}
}
