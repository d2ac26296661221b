package upstream

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// plainHealth are checks that a test fills in the rest of.
func plainHealth() *HealthOptions {
	return &HealthOptions{
		Kind: "http", Method: "GET", Path: "/healthz", Interval: 10 * time.Millisecond, UnhealthyInterval: 10 * time.Millisecond,
		Timeout: 30 * time.Second, Healthy: 1, Unhealthy: 3, Statuses: []StatusRange{{200, 399}},
	}
}

// askOnce does one check and returns what it says.
func askOnce(t *testing.T, o Options) error {
	t.Helper()
	u, err := New(Options{Name: "test", Policy: "round_robin", Protocol: o.Protocol, TLS: o.TLS, Health: o.Health})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	s, err := newStanding(u, o.Endpoints[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	return u.checker.ask(s.check)
}

// wants compares an error with a part of what it must say; "" stands for none.
func wants(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want a check that is passed", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestHTTPCheck(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/broken", http.StatusFound)
		case "/broken":
			w.WriteHeader(500)
		case "/empty":
			w.WriteHeader(204)
		case "/who":
			io.WriteString(w, r.Method+" "+r.Host+" "+r.URL.RawQuery+" "+r.UserAgent())
		case "/long":
			io.WriteString(w, strings.Repeat("x", maxCheckBody-5)+"ready")
			io.WriteString(w, "behind")
		default:
			io.WriteString(w, "ready")
		}
	}))
	defer s.Close()
	address := s.Listener.Addr().String()
	for _, test := range []struct {
		name   string
		change func(h *HealthOptions)
		want   string
	}{
		{"fine", func(h *HealthOptions) {}, ""},
		{"a status that is not expected", func(h *HealthOptions) { h.Path = "/broken" }, "status 500"},
		{"a redirect passes and is not followed", func(h *HealthOptions) { h.Path = "/moved" }, ""},
		{"a redirect that is not expected", func(h *HealthOptions) { h.Path, h.Statuses = "/moved", []StatusRange{{200, 299}} }, "status 302"},
		{"several ranges", func(h *HealthOptions) { h.Path, h.Statuses = "/empty", []StatusRange{{200, 200}, {204, 204}} }, ""},
		{"HEAD", func(h *HealthOptions) { h.Method = "HEAD" }, ""},
		{"content", func(h *HealthOptions) { h.Body = "eady" }, ""},
		{"other content", func(h *HealthOptions) { h.Body = "steady" }, "does not hold"},
		{"no content", func(h *HealthOptions) { h.Path, h.Body = "/empty", "ready" }, "does not hold"},
		{"content within the bound", func(h *HealthOptions) { h.Path, h.Body = "/long", "ready" }, ""},
		{"content past the bound", func(h *HealthOptions) { h.Path, h.Body = "/long", "behind" }, "does not hold"},
		{"what is sent", func(h *HealthOptions) {
			h.Path, h.Query, h.Method, h.Host, h.Body = "/who", "full=1", "POST", "app.internal", "POST app.internal full=1 "+checkAgent
		}, ""},
		{"the Host of the endpoint", func(h *HealthOptions) { h.Path, h.Body = "/who", "GET "+address }, ""},
		{"another port", func(h *HealthOptions) { h.Port = portOf(t, deadAddress(t)) }, "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := group(address)
			o.Health = plainHealth()
			test.change(o.Health)
			wants(t, askOnce(t, o), test.want)
		})
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}

func TestCheckEndsInTime(t *testing.T) {
	for name, serve := range map[string]func(*wire){
		"no answer": func(w *wire) { _, _ = w.request(); _, _ = w.request() },
		"no end": func(w *wire) {
			_, _ = w.request()
			w.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
			_, _ = w.request()
		},
		"a head in parts": func(w *wire) { _, _ = w.request(); w.say("HTTP/1.1 200 O"); _, _ = w.request() },
	} {
		t.Run(name, func(t *testing.T) {
			o := group(listen(t, serve).address)
			o.Health = plainHealth()
			o.Health.Timeout = 50 * time.Millisecond
			if err := askOnce(t, o); err == nil {
				t.Error("a check was passed without an answer")
			}
		})
	}
}

func TestTCPCheck(t *testing.T) {
	o := group(listen(t, func(w *wire) { _, _ = w.request() }).address)
	o.Health = plainHealth()
	o.Health.Kind = "tcp"
	wants(t, askOnce(t, o), "")
	o.Endpoints[0].Address = deadAddress(t)
	wants(t, askOnce(t, o), "refused")
}

// Checks go where exchanges go: over TLS, with its certificates, in the upstream's protocol, to a socket.
func TestChecksTakeTheWayOfExchanges(t *testing.T) {
	a := newAuthority(t)
	cert := a.issue("127.0.0.1", inAnHour())
	var seen atomic.Pointer[http.Request]
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Store(r); io.WriteString(w, "ready") })
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	start := func(t *testing.T, network, address string, secure *tls.Config, protocols *http.Protocols) string {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: handler, TLSConfig: secure, Protocols: protocols, ErrorLog: quietLog()}
		var running sync.WaitGroup
		running.Go(func() {
			if secure != nil {
				_ = s.ServeTLS(l, "", "") // ends with the test
				return
			}
			_ = s.Serve(l)
		})
		t.Cleanup(func() { _ = s.Close(); running.Wait() })
		return l.Addr().String()
	}
	secure := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool()}
	ours := &TLSOptions{Roots: a.pool(), Certificates: []tls.Certificate{a.issue("gateway", inAnHour())}}
	for _, test := range []struct {
		name, network, protocol string
		server                  *tls.Config
		client                  *TLSOptions
		protocols               *http.Protocols
		want                    string
	}{
		{"plain", "tcp", "http/1.1", nil, nil, nil, ""},
		{"a socket", "unix", "http/1.1", nil, nil, nil, ""},
		{"HTTP/2", "tcp", "h2c", nil, nil, &h2c, ""},
		{"TLS both ways", "tcp", "http/1.1", secure, ours, nil, ""},
		{"HTTP/2 over TLS", "tcp", "h2", secure, ours, nil, ""},
		{"a foreign authority", "tcp", "http/1.1", secure, &TLSOptions{Roots: newAuthority(t).pool()}, nil, "certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			address := "127.0.0.1:0"
			if test.network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
			}
			address = start(t, test.network, address, test.server.Clone(), test.protocols)
			if test.network == "unix" {
				address = unixPrefix + address
			}
			o := group(address)
			o.Protocol, o.TLS, o.Health = test.protocol, test.client, plainHealth()
			seen.Store(nil)
			wants(t, askOnce(t, o), test.want)
			if r := seen.Load(); test.want == "" && (r == nil || (r.ProtoMajor == 2) != (test.protocol != "http/1.1")) {
				t.Errorf("the server saw %v, want a request in %s", r, test.protocol)
			}
			o.Health.Kind = "tcp"
			wants(t, askOnce(t, o), test.want)
		})
	}
}

// No connection of a check is kept: after each the server sees its end.
func TestCheckConnectionsAreNotKept(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2c"} {
		t.Run(protocol, func(t *testing.T) {
			var open atomic.Int64
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetHTTP1(true)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				switch state {
				case http.StateNew:
					open.Add(1)
				case http.StateClosed:
					open.Add(-1)
				}
			}
			s.Start()
			defer s.Close()
			o := group(s.Listener.Addr().String())
			o.Protocol, o.Health = protocol, plainHealth()
			wants(t, askOnce(t, o), "")
			eventually(t, "the connection is closed", func() bool { return open.Load() == 0 })
		})
	}
}

func TestGRPCCheck(t *testing.T) {
	state := health.NewServer()
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, state)
	bare := grpc.NewServer()
	address, none := serveGRPC(t, s), serveGRPC(t, bare)
	state.SetServingStatus("orders", grpc_health_v1.HealthCheckResponse_SERVING)
	state.SetServingStatus("stock", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	state.SetServingStatus("odd", 7)
	for _, test := range []struct{ name, address, service, want string }{
		{"the whole server", address, "", ""},
		{"a service", address, "orders", ""},
		{"one that does not serve", address, "stock", "NOT_SERVING"},
		{"a state that is not known", address, "odd", "in state 7"},
		{"a service that is not known", address, "nobody", `gRPC status "5"`},
		{"a server without the health service", none, "", `gRPC status "12"`},
		{"no server", deadAddress(t), "", "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := group(test.address)
			o.Protocol, o.Health = "h2c", plainHealth()
			o.Health.Kind, o.Health.Service = "grpc", test.service
			wants(t, askOnce(t, o), test.want)
		})
	}
}

func serveGRPC(t *testing.T, s *grpc.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = s.Serve(l) }) // ends with the test
	t.Cleanup(func() { s.Stop(); running.Wait() })
	return l.Addr().String()
}

func TestHealthOptionsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(h *HealthOptions){
		"kind":     func(h *HealthOptions) { h.Kind = "udp" },
		"grpc":     func(h *HealthOptions) { h.Kind = "grpc" },
		"interval": func(h *HealthOptions) { h.Interval = 0 },
	} {
		o := group("127.0.0.1:1")
		o.Health = plainHealth()
		change(o.Health)
		if u, err := New(o); err == nil {
			u.Close()
			t.Errorf("%s: want an error", name)
		}
	}
	o := group("127.0.0.1:1")
	o.Eject = &EjectOptions{}
	if _, err := New(o); err == nil {
		t.Error("ejection without times: want an error")
	}
}

func FuzzHealthStatus(f *testing.F) {
	for _, seed := range []string{"\x00\x00\x00\x00\x02\x08\x01", "\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x07\x12\x03abc\x08\x02", "\x00\x00\x00\x00\x02\x0d\x01", "\x01\x00\x00\x00\x00",
		"\x00\x00\x00\x00\x0c\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		status, ok := healthStatus(content)
		var want grpc_health_v1.HealthCheckResponse
		valid := len(content) >= messageHead && content[0] == 0 && len(content)-messageHead == int(uint32(content[1])<<24|uint32(content[2])<<16|uint32(content[3])<<8|uint32(content[4]))
		if valid && unmarshal(content[messageHead:], &want) == nil && (!ok || uint32(status) != uint32(want.Status)) {
			t.Errorf("got %d, %v, want %d", status, ok, want.Status)
		}
		if ok && !valid {
			t.Errorf("%q was taken for a message", content)
		}
	})
}

// unmarshal is what the others' code reads; groups, which nobody writes any more, are left to it.
func unmarshal(message []byte, to proto.Message) error {
	for rest := message; len(rest) > 0; {
		_, kind, n := protowire.ConsumeField(rest)
		if n < 0 || kind == protowire.StartGroupType {
			return errHealthMessage
		}
		rest = rest[n:]
	}
	return proto.Unmarshal(message, to)
}
