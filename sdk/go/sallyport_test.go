package sallyport_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// during runs a request hook and a response hook over x.
func during(t *testing.T, x *sallyporttest.Exchange, request func(*sallyport.Request), response func(*sallyport.Response)) {
	t.Helper()
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{
			Request:  func(r *sallyport.Request) (sallyport.Verdict, error) { request(r); return sallyport.Continue, nil },
			Response: func(r *sallyport.Response) error { response(r); return nil },
		}, nil
	}, "{}")
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
	if err := p.Response(x); err != nil {
		t.Fatal(err)
	}
}

func TestFields(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/orders/7?a=1&b=&c=%41+b")
	x.Params = map[string]string{"id": "7"}
	x.TLSServerName, x.TraceID = "api.test", "0af7651916cd43dd8448eb211c80319c"
	tests := []struct {
		name string
		get  func(r *sallyport.Request) string
		want string
	}{
		{"method", (*sallyport.Request).Method, "GET"},
		{"scheme", (*sallyport.Request).Scheme, "http"},
		{"host", (*sallyport.Request).Host, "gateway.test"},
		{"path", (*sallyport.Request).Path, "/orders/7"},
		{"query", (*sallyport.Request).Query, "a=1&b=&c=%41+b"},
		{"protocol", (*sallyport.Request).Protocol, "HTTP/1.1"},
		{"client address", (*sallyport.Request).ClientAddress, "192.0.2.1"},
		{"route", (*sallyport.Request).Route, "test"},
		{"request id", (*sallyport.Request).ID, "request-1"},
		{"consumer", (*sallyport.Request).Consumer, ""},
		{"upstream", (*sallyport.Request).Upstream, ""},
		{"TLS server name", (*sallyport.Request).TLSServerName, "api.test"},
		{"TLS client subject", (*sallyport.Request).TLSClientSubject, ""},
		{"trace id", (*sallyport.Request).TraceID, "0af7651916cd43dd8448eb211c80319c"},
		{"param", func(r *sallyport.Request) string { return r.Param("id") }, "7"},
		{"query param", func(r *sallyport.Request) string { s, _ := r.QueryParam("c"); return s }, "A b"},
	}
	during(t, x, func(r *sallyport.Request) {
		for _, tt := range tests {
			if got := tt.get(r); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
		if _, ok := r.QueryParam("b"); !ok {
			t.Error("an empty query parameter is not found")
		}
		if _, ok := r.QueryParam("d"); ok {
			t.Error("an absent query parameter is found")
		}
	}, func(*sallyport.Response) {})
}

func TestSetFields(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	during(t, x, func(r *sallyport.Request) {
		for name, err := range map[string]error{
			"host": r.SetHost("other.test"), "path": r.SetPath("/new"), "query": r.SetQuery("q=1"), "consumer": r.SetConsumer("ann"),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := r.SetPath("new"); err != sallyport.ErrInvalid {
			t.Errorf("relative path: got %v, want %v", err, sallyport.ErrInvalid)
		}
	}, func(r *sallyport.Response) {
		if err := r.Request.SetPath("/late"); err != sallyport.ErrWrongPhase {
			t.Errorf("path in response: got %v, want %v", err, sallyport.ErrWrongPhase)
		}
	})
	if got, want := x.Host+x.Path+x.Query+x.Attrs["consumer"], "other.test/newq=1ann"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHeaders(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	x.Request = sallyporttest.Fields{{Name: "A", Value: "1"}, {Name: "b", Value: ""}, {Name: "a", Value: "2"}}
	during(t, x, func(r *sallyport.Request) {
		if got, want := r.Headers.Values("a"), []string{"1", "2"}; !reflect.DeepEqual(got, want) {
			t.Errorf("Values: got %q, want %q", got, want)
		}
		visited := ""
		r.Headers.Each(func(name, value []byte) bool {
			visited += string(name) + "=" + string(value) + ";"
			return string(name) != "b"
		})
		if want := "A=1;b=;"; visited != want {
			t.Errorf("Each: got %q, want %q up to the false", visited, want)
		}
		if got, want := r.Headers.All(), []sallyport.Header{{"A", "1"}, {"b", ""}, {"a", "2"}}; !reflect.DeepEqual(got, want) {
			t.Errorf("All: got %q, want %q", got, want)
		}
		if v, ok := r.Headers.Lookup("B"); v != "" || !ok {
			t.Errorf("Lookup of an empty header: %q, %v", v, ok)
		}
		if !r.Headers.Has("b") || r.Headers.Has("c") || len(r.Headers.Values("c")) != 0 {
			t.Error("Has or Values are wrong about what is there")
		}
		long := strings.Repeat("x", 5000)
		if err := r.Headers.Set("A", long); err != nil || r.Headers.Get("a") != long {
			t.Errorf("a long value does not come back: %v", err)
		}
		_ = r.Headers.Add("c", "3")
		_ = r.Headers.Remove("b")
	}, func(*sallyport.Response) {})
	if got, want := len(x.Request), 2; got != want || x.Request.Get("c") != "3" {
		t.Errorf("left over: %q", x.Request)
	}
}

func TestHeadersRefused(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	during(t, x, func(r *sallyport.Request) {
		for _, name := range []string{"Content-Length", "connection", "bad name", ""} {
			if err := r.Headers.Set(name, "x"); err != sallyport.ErrInvalid {
				t.Errorf("Set(%q): got %v, want %v", name, err, sallyport.ErrInvalid)
			}
		}
		if err := r.Headers.Set("X", "a\r\nB: c"); err != sallyport.ErrInvalid {
			t.Errorf("line break: got %v, want %v", err, sallyport.ErrInvalid)
		}
	}, func(r *sallyport.Response) {
		if err := r.Request.Headers.Set("X", "1"); err != sallyport.ErrWrongPhase {
			t.Errorf("request header in response: got %v, want %v", err, sallyport.ErrWrongPhase)
		}
	})
}

func TestStateAndAttributes(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	during(t, x, func(r *sallyport.Request) {
		if len(r.State()) != 0 || r.Number() == 0 {
			t.Error("a new exchange has state or no number")
		}
		_ = r.SetState([]byte("remember"))
		_ = r.SetAttr("tier", "gold")
	}, func(r *sallyport.Response) {
		tier, ok := r.Attr("tier")
		if got, want := string(r.State())+tier, "remembergold"; got != want || !ok {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, ok := r.Attr("none"); ok {
			t.Error("an attribute that is not set is found")
		}
	})
}

func TestRespond(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: func(r *sallyport.Request) (sallyport.Verdict, error) {
			return r.RespondProblem(403, `No "entry"`, sallyport.Header{Name: "X-Why", Value: "test"})
		}}, nil
	}, "{}")
	verdict, err := p.Request(x)
	if verdict != sallyport.Respond || err != nil {
		t.Fatalf("got %v, %v", verdict, err)
	}
	want := `{"type":"about:blank","title":"No \"entry\"","status":403,"request_id":"request-1"}` + "\n"
	if x.Status != 403 || x.Body != want {
		t.Errorf("got %d %s, want 403 %s", x.Status, x.Body, want)
	}
	if x.Response.Get("x-why") != "test" || x.Response.Get("content-type") != "application/problem+json" {
		t.Errorf("headers: %q", x.Response)
	}
}

func TestRespondInResponse(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	x.Response = sallyporttest.Fields{{Name: "Content-Type", Value: "text/html"}, {Name: "ETag", Value: "1"}, {Name: "X", Value: "stays"}}
	during(t, x, func(*sallyport.Request) {}, func(r *sallyport.Response) {
		if got, want := r.Status(), 200; got != want {
			t.Errorf("status: got %d, want %d", got, want)
		}
		if err := r.Respond(502, []byte("bad"), sallyport.Header{Name: "Content-Type", Value: "text/plain"}); err != nil {
			t.Error(err)
		}
		if err := r.SetStatus(99); err != sallyport.ErrInvalid {
			t.Errorf("status 99: got %v, want %v", err, sallyport.ErrInvalid)
		}
		_ = r.SetStatus(503)
	})
	want := sallyporttest.Fields{{Name: "X", Value: "stays"}, {Name: "Content-Type", Value: "text/plain"}}
	if x.Status != 503 || x.Body != "bad" || !reflect.DeepEqual(x.Response, want) {
		t.Errorf("got %d %q %q", x.Status, x.Body, x.Response)
	}
}

func TestFailurePutsBack(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: func(r *sallyport.Request) (sallyport.Verdict, error) {
			_ = r.Headers.Set("X", "1")
			_ = r.SetAttr("a", "b")
			return sallyport.Continue, errors.New("broken")
		}}, nil
	}, "{}")
	if _, err := p.Request(x); err == nil || x.Request.Get("X") != "" || len(x.Attrs) != 0 {
		t.Errorf("got %v, %q, %q", err, x.Request, x.Attrs)
	}
}

func TestRespondWithoutAnswer(t *testing.T) {
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: func(*sallyport.Request) (sallyport.Verdict, error) { return sallyport.Respond, nil }}, nil
	}, "{}")
	if _, err := p.Request(sallyporttest.NewExchange("GET", "/")); err == nil {
		t.Error("Respond without an answer passes")
	}
}

func TestWorld(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	during(t, x, func(*sallyport.Request) {
		sallyport.Log(sallyport.Warn, "careful")
		a, b := make([]byte, 16), make([]byte, 16)
		if err := errors.Join(sallyport.Random(a), sallyport.Random(b)); err != nil || string(a) == string(b) {
			t.Errorf("Random: %x, %x, %v", a, b, err)
		}
		if err := sallyport.Random(make([]byte, 5000)); err != sallyport.ErrTooLarge {
			t.Errorf("Random of 5000: got %v, want %v", err, sallyport.ErrTooLarge)
		}
		if sallyport.Now() <= 0 {
			t.Error("Now is not after 1970")
		}
	}, func(*sallyport.Response) {})
	if got, want := x.Log, []string{"careful"}; !reflect.DeepEqual(got, want) {
		t.Errorf("log: got %q, want %q", got, want)
	}
}
