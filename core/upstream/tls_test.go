package upstream

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// serveTLS starts a server of net/http that speaks the protocol over TLS.
func serveTLS(t testing.TB, config *tls.Config, protocol string, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS = config
	s.EnableHTTP2 = protocol == "h2"
	s.Config.ErrorLog = quietLog()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func secureGroup(protocol string, o TLSOptions, addresses ...string) Options {
	g := group(addresses...)
	g.Protocol, g.TLS = protocol, &o
	return g
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Proto, r.Host) }

var bothProtocols = map[string]string{"http/1.1": "HTTP/1.1", "h2": "HTTP/2.0"}

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	for protocol, proto := range bothProtocols {
		t.Run(protocol, func(t *testing.T) {
			address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}}, protocol, hello)
			u := open(t, secureGroup(protocol, TLSOptions{Roots: a.pool()}, address))
			for range 3 {
				if got, want := ask(t, u, request("GET", "/")), proto+" "+address; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			eventually(t, "one connection is kept", func() bool { return idle(u) == 1 })
		})
	}
}

// TestVerification: what cannot be verified is never sent anything, and the fault tells the log why.
func TestVerification(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	good := a.issue("api.internal", inAnHour())
	named := func(o TLSOptions) TLSOptions {
		o.Roots, o.ServerName = a.pool(), "api.internal"
		return o
	}
	rogue := named(TLSOptions{})
	rogue.Roots = other.pool()
	misnamed := named(TLSOptions{})
	misnamed.ServerName = "other.internal"
	// A server may send along any certificate: that it has the key is proved of the first only.
	padded := good
	padded.Certificate = append([][]byte{good.Certificate[0]}, other.cert.Raw)
	tests := []struct {
		name   string
		server tls.Certificate
		o      TLSOptions
		cause  string // "": all is well
	}{
		{"all well", good, named(TLSOptions{}), ""},
		{"wrong authority", good, rogue, "unknown authority"},
		{"wrong name", good, misnamed, "not other.internal"},
		{"no name", good, TLSOptions{Roots: a.pool()}, "cannot validate certificate for 127.0.0.1"},
		{"expired", a.issue("api.internal", time.Now().Add(-time.Hour)), named(TLSOptions{}), "expired"},
		{"pinned", good, named(TLSOptions{Pins: [][sha256.Size]byte{{}, pin(good.Leaf)}}), ""},
		{"authority pinned", good, named(TLSOptions{Pins: [][sha256.Size]byte{pin(a.cert)}}), ""},
		{"pin of another", good, named(TLSOptions{Pins: [][sha256.Size]byte{pin(other.cert)}}), "pinned"},
		{"pin of what is sent along", padded, named(TLSOptions{Pins: [][sha256.Size]byte{pin(other.cert)}}), "pinned"},
		{"insecure", good, TLSOptions{Insecure: true}, ""},
		{"insecure, pinned", good, TLSOptions{Insecure: true, Pins: [][sha256.Size]byte{pin(good.Leaf)}}, ""},
		{"insecure, pin of another", padded, TLSOptions{Insecure: true, Pins: [][sha256.Size]byte{pin(other.cert)}}, "pinned"},
		{"too old a version", good, named(TLSOptions{MinVersion: tls.VersionTLS13}), "protocol version"},
	}
	for _, test := range tests {
		for protocol := range bothProtocols {
			t.Run(test.name+" "+protocol, func(t *testing.T) {
				config := &tls.Config{Certificates: []tls.Certificate{test.server}}
				if test.cause == "protocol version" {
					config.MaxVersion = tls.VersionTLS12
				}
				var served atomic.Int64
				address := serveTLS(t, config, protocol, func(http.ResponseWriter, *http.Request) { served.Add(1) })
				u := open(t, secureGroup(protocol, test.o, address))
				if test.cause == "" {
					ask(t, u, request("POST", "/"))
					return
				}
				f := mustFail(t, u, request("POST", "/"), Send{}, fault.BadGateway)
				if f.Side != fault.Upstream || !f.Retry || !strings.Contains(f.Error(), test.cause) || f.Reason != "no secure connection to upstream" {
					t.Errorf("got %v, retry %v", f, f.Retry)
				}
				if served.Load() != 0 {
					t.Error("the request was sent all the same")
				}
			})
		}
	}
}

// TestPinOnResumption: a resumed session is looked at as closely as a new one.
func TestPinOnResumption(t *testing.T) {
	a := newAuthority(t)
	cert := a.issue("127.0.0.1", inAnHour())
	var resumed atomic.Int64
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}, "http/1.1", func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			resumed.Add(1)
		}
		w.Header().Set("Connection", "close")
	})
	u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool(), Pins: [][sha256.Size]byte{pin(cert.Leaf)}}, address))
	for range 4 {
		ask(t, u, request("GET", "/"))
	}
	if resumed.Load() == 0 {
		t.Error("no session was resumed")
	}
}

func TestClientCertificate(t *testing.T) {
	a := newAuthority(t)
	for protocol := range bothProtocols {
		t.Run(protocol, func(t *testing.T) {
			address := serveTLS(t, &tls.Config{
				Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}, ClientCAs: a.pool(), ClientAuth: tls.RequireAndVerifyClientCert,
			}, protocol, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
			})
			with := TLSOptions{Roots: a.pool(), Certificates: []tls.Certificate{a.issue("gateway", inAnHour())}}
			if got := ask(t, open(t, secureGroup(protocol, with, address)), request("GET", "/")); got != "gateway" {
				t.Errorf("got %q", got)
			}
			f := mustFail(t, open(t, secureGroup(protocol, TLSOptions{Roots: a.pool()}, address)), request("GET", "/"), Send{}, fault.BadGateway)
			if !strings.Contains(f.Error(), "certificate required") && !strings.Contains(f.Error(), "HTTP/2") {
				t.Errorf("got %v", f)
			}
		})
	}
}

// listenTLS is listen with each connection over TLS: the script sees the plain side.
func listenTLS(t testing.TB, a *authority, serve func(*tls.Conn, *bufio.Reader, int64)) string {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}}
	return listen(t, func(w *wire) {
		c := tls.Server(&corked{Conn: w.TCPConn}, config)
		if c.Handshake() == nil {
			serve(c, bufio.NewReader(c), w.number)
		}
	}).address
}

// corked is a connection that can hold back what is written, to send it in one piece.
type corked struct {
	net.Conn
	hold bool
	held []byte
}

func (c *corked) Write(p []byte) (int, error) {
	if c.held = append(c.held, p...); c.hold {
		return len(p), nil
	}
	held := c.held
	c.held = nil
	_, err := c.Conn.Write(held)
	return len(p), err
}

func skipHead(in *bufio.Reader) error {
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == "\r\n" {
			return err
		}
	}
}

// TestUnaskedAnswerOverTLS: what a server sends on a kept connection without having been asked never goes to the next client,
// whether it lies in the socket or came in one piece with the answer before.
func TestUnaskedAnswerOverTLS(t *testing.T) {
	a := newAuthority(t)
	const stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
	for _, together := range []bool{true, false} {
		t.Run(fmt.Sprintf("together %v", together), func(t *testing.T) {
			next := make(chan bool)
			address := listenTLS(t, a, func(c *tls.Conn, in *bufio.Reader, number int64) {
				for skipHead(in) == nil {
					if number == 1 && together {
						c.NetConn().(*corked).hold = true
						_, _ = io.WriteString(c, okAnswer)
						c.NetConn().(*corked).hold = false
						_, _ = io.WriteString(c, stray)
						continue
					}
					_, _ = io.WriteString(c, okAnswer)
					if number == 1 {
						<-next
						_, _ = io.WriteString(c, stray)
						next <- true
					}
				}
			})
			u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address))
			for i := range 4 {
				if got := ask(t, u, request("POST", "/")); got != "ok" {
					t.Fatalf("answer %d: got %q", i, got)
				}
				if i == 0 && !together {
					next <- true
					<-next
				}
			}
		})
	}
}

// TestClosedWhileKeptOverTLS: a connection that its server has closed is replaced before anything is written on it.
func TestClosedWhileKeptOverTLS(t *testing.T) {
	a := newAuthority(t)
	closed := make(chan bool, 1)
	address := listenTLS(t, a, func(c *tls.Conn, in *bufio.Reader, number int64) {
		for skipHead(in) == nil {
			_, _ = io.WriteString(c, okAnswer)
			if number == 1 {
				_ = c.Close()
				closed <- true
				return
			}
		}
	})
	u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address))
	ask(t, u, request("GET", "/"))
	<-closed
	x := request("POST", "/") // not idempotent: it may be sent once only
	x.Req.Body = exchange.Body{Length: 4, Held: []byte("once")}
	if got := ask(t, u, x); got != "ok" || x.Tries != 1 {
		t.Errorf("got %q after %d tries", got, x.Tries)
	}
}

// TestTruncatedOverTLS: only the server's farewell ends content that has no length.
func TestTruncatedOverTLS(t *testing.T) {
	a := newAuthority(t)
	for _, farewell := range []bool{true, false} {
		t.Run(fmt.Sprintf("farewell %v", farewell), func(t *testing.T) {
			address := listenTLS(t, a, func(c *tls.Conn, in *bufio.Reader, _ int64) {
				_ = skipHead(in)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nsome")
				if farewell {
					_ = c.CloseWrite()
				}
			})
			u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address))
			x := request("GET", "/")
			if f := u.Do(x, Send{}); f != nil {
				t.Fatal(f)
			}
			got, err := io.ReadAll(&x.Resp.Body)
			if string(got) != "some" || (err == nil) != farewell {
				t.Errorf("got %q, %v", got, err)
			}
			x.Resp.Reset()
		})
	}
}

// TestSilentHandshake: a server that does not speak TLS costs no more than the time to connect.
func TestSilentHandshake(t *testing.T) {
	for protocol := range bothProtocols {
		t.Run(protocol, func(t *testing.T) {
			p := listen(t, silent)
			o := secureGroup(protocol, TLSOptions{Insecure: true}, p.address)
			o.ConnectTimeout = 50 * time.Millisecond
			f := mustFail(t, open(t, o), request("POST", "/"), Send{}, fault.GatewayTimeout)
			if !f.Retry {
				t.Error("another endpoint could have been tried")
			}
		})
	}
}

// TestSlowAnswerOverTLS: what is waited for in slices arrives whole, and a client that goes away is noticed.
func TestSlowAnswerOverTLS(t *testing.T) {
	a := newAuthority(t)
	go1 := make(chan bool)
	address := listenTLS(t, a, func(c *tls.Conn, in *bufio.Reader, _ int64) {
		for skipHead(in) == nil {
			<-go1
			_, _ = io.WriteString(c, okAnswer)
		}
	})
	u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address))
	c := &client{}
	x := request("GET", "/")
	x.Client = c
	go func() {
		for c.asked.Load() < 2 {
			time.Sleep(time.Millisecond)
		}
		go1 <- true
	}()
	if got := ask(t, u, x); got != "ok" {
		t.Errorf("got %q", got)
	}
	c.gone.Store(true)
	x = request("GET", "/")
	x.Client = c
	mustFail(t, u, x, Send{}, fault.ClientGone)
	close(go1)
}

// TestLateAnswerOverTLS: a time-out in the middle of a record leaves nothing behind.
func TestLateAnswerOverTLS(t *testing.T) {
	a := newAuthority(t)
	release := make(chan bool)
	address := listenTLS(t, a, func(*tls.Conn, *bufio.Reader, int64) { <-release })
	o := secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address)
	o.ResponseTimeout = 50 * time.Millisecond
	mustFail(t, open(t, o), request("GET", "/"), Send{}, fault.GatewayTimeout)
	close(release)
}

// TestTunnelOverTLS: a tunnel passes bytes both ways, and each half ends by itself.
func TestTunnelOverTLS(t *testing.T) {
	a := newAuthority(t)
	address := listenTLS(t, a, func(c *tls.Conn, in *bufio.Reader, _ int64) {
		_ = skipHead(in)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
		_, _ = io.Copy(c, in)
		_, _ = io.WriteString(c, "!")
		_ = c.CloseWrite()
	})
	u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address))
	x := request("GET", "/")
	x.Req.Upgrade = "echo"
	if f := u.Do(x, Send{}); f != nil {
		t.Fatal(f)
	}
	tunnel := x.Resp.Tunnel
	_, _ = io.WriteString(tunnel, "over and out")
	if err := tunnel.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	got, err := io.ReadAll(tunnel)
	if all := string(x.Resp.Body.Held) + string(got); all != "earlyover and out!" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
	x.Resp.Reset()
}

// TestUploadOverTLS: long content goes through a copier, and a client's fault closes the connection so that the server sees it.
func TestUploadOverTLS(t *testing.T) {
	a := newAuthority(t)
	sum := make(chan int64, 4)
	address := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue("127.0.0.1", inAnHour())}}, "http/1.1",
		func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				n = -1
			}
			sum <- n
		})
	u := open(t, secureGroup("http/1.1", TLSOptions{Roots: a.pool()}, address))
	x := request("POST", "/")
	x.Req.Body = exchange.Body{Length: 4 << 20, Held: make([]byte, 4<<20)}
	ask(t, u, x)
	if n := <-sum; n != 4<<20 {
		t.Errorf("the server got %d bytes", n)
	}
	f := newFeed("some")
	f.end = errors.New("the client broke off")
	close(f.pieces)
	x = upload(100, "", f)
	mustFail(t, u, x, Send{}, fault.ClientGone)
	if n := <-sum; n != -1 {
		t.Errorf("the server took %d bytes for all", n)
	}
}

func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(hello), Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	for protocol, proto := range map[string]string{"http/1.1": "HTTP/1.1", "h2c": "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			o := group("unix:" + path)
			o.Protocol = protocol
			u := open(t, o)
			for range 3 {
				x := request("GET", "/")
				if got := ask(t, u, x); got != proto+" localhost" || x.Endpoint != "unix:"+path {
					t.Errorf("got %q from %s", got, x.Endpoint)
				}
			}
		})
	}
}

func TestContradictoryOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"h2 without TLS": {Protocol: "h2"}, "h2c with TLS": {Protocol: "h2c", TLS: &TLSOptions{}}, "unknown": {Protocol: "spdy"},
		"no socket": {Endpoints: []EndpointOptions{{Address: "unix:"}}},
	} {
		if u, err := New(o); err == nil {
			u.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}
