package sallyport_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// echo answers with what it was asked.
func echo(r sallyporttest.FetchRequest) sallyporttest.FetchAnswer {
	a := sallyporttest.FetchAnswer{Status: 201, Body: fmt.Sprint(r.Method, " ", r.Authority, r.Path, " ", r.Headers, " ", r.Body, " ", r.Timeout)}
	a.Headers.Add("X-Seen", r.Path)
	return a
}

func failing(code int32) func(sallyporttest.FetchRequest) sallyporttest.FetchAnswer {
	return func(sallyporttest.FetchRequest) sallyporttest.FetchAnswer {
		return sallyporttest.FetchAnswer{Fault: code}
	}
}

func upstreams() *sallyporttest.World {
	return &sallyporttest.World{Upstreams: map[string]func(sallyporttest.FetchRequest) sallyporttest.FetchAnswer{
		"auth": echo, "slow": failing(-6), "down": failing(-7), "gone": failing(-9),
		"large": func(sallyporttest.FetchRequest) sallyporttest.FetchAnswer {
			return sallyporttest.FetchAnswer{Status: 200, Body: strings.Repeat("x", 1<<20+1)}
		},
	}}
}

func wantAnswer(t *testing.T, a sallyport.Answer, status int, seen, body string) {
	t.Helper()
	got, err := a.Body.Bytes()
	if a.Status() != status || a.Headers.Get("x-seen") != seen || string(got) != body || err != nil {
		t.Errorf("got %d, %q, %q, %v; want %d, %q, %q", a.Status(), a.Headers.Get("x-seen"), got, err, status, seen, body)
	}
}

func TestFetch(t *testing.T) {
	duringIn(t, upstreams(), func() {
		full := sallyport.FetchRequest{
			Method: "POST", Path: "/check?q=1", Authority: "Auth.Internal", Headers: []sallyport.Header{{"X-Token", " abc "}, {"A", ""}},
			Body: []byte("body"), Timeout: time.Second + 1,
		}
		for range 2 {
			a, err := sallyport.Fetch("auth", full)
			wantError(t, "Fetch", err, nil)
			wantAnswer(t, a, 201, "/check?q=1", "POST auth.internal/check?q=1 [{X-Token abc} {A } {X-Request-Id request-1}] body 1.001s")
			wantError(t, "changing an answer", a.Headers.Set("A", "b"), sallyport.ErrInvalid)
			wantError(t, "changing an answer's body", a.Body.Set(nil), sallyport.ErrInvalid)
		}
		a, err := sallyport.Fetch("auth", sallyport.FetchRequest{})
		wantError(t, "Fetch of nothing in particular", err, nil)
		wantAnswer(t, a, 201, "/", "GET / [{X-Request-Id request-1}]  0s")
		again, err := sallyport.Fetched(2)
		wantError(t, "Fetched", err, nil)
		wantAnswer(t, again, 201, "/", "GET / [{X-Request-Id request-1}]  0s")
	})
}

func TestFetchFails(t *testing.T) {
	duringIn(t, upstreams(), func() {
		for upstream, want := range map[string]error{
			"slow": sallyport.ErrTimedOut, "down": sallyport.ErrUnavailable, "gone": sallyport.ErrCancelled, "large": sallyport.ErrUnavailable,
			"other": sallyport.ErrNotGranted, strings.Repeat("x", 257): sallyport.ErrTooLarge,
		} {
			_, err := sallyport.Fetch(upstream, sallyport.FetchRequest{})
			wantError(t, upstream, err, want)
		}
		for name, tt := range map[string]struct {
			r    sallyport.FetchRequest
			want error
		}{
			"negative timeout": {sallyport.FetchRequest{Timeout: -1}, sallyport.ErrInvalid},
			"CONNECT":          {sallyport.FetchRequest{Method: "CONNECT"}, sallyport.ErrInvalid},
			"no path":          {sallyport.FetchRequest{Path: "check"}, sallyport.ErrInvalid},
			"bad authority":    {sallyport.FetchRequest{Authority: "a/b"}, sallyport.ErrInvalid},
			"framing":          {sallyport.FetchRequest{Headers: []sallyport.Header{{"Content-Length", "1"}}}, sallyport.ErrInvalid},
			"host":             {sallyport.FetchRequest{Headers: []sallyport.Header{{"Host", "a"}}}, sallyport.ErrInvalid},
			"injection":        {sallyport.FetchRequest{Headers: []sallyport.Header{{"A", "b\r\nC: d"}}}, sallyport.ErrInvalid},
			"long header":      {sallyport.FetchRequest{Headers: []sallyport.Header{{"A", strings.Repeat("x", 16<<10+1)}}}, sallyport.ErrTooLarge},
			"large body":       {sallyport.FetchRequest{Body: make([]byte, 1<<20+1)}, sallyport.ErrTooLarge},
		} {
			_, err := sallyport.Fetch("auth", tt.r)
			wantError(t, name, err, tt.want)
			_, err = sallyport.StartFetch("auth", tt.r)
			wantError(t, name+", started", err, tt.want)
		}
	})
	duringIn(t, upstreams(), func() {
		for range 16 {
			_, _ = sallyport.Fetch("auth", sallyport.FetchRequest{})
		}
		_, err := sallyport.StartFetch("auth", sallyport.FetchRequest{})
		wantError(t, "the 17th", err, sallyport.ErrTooLarge)
	})
}

// waiter is a plugin that asks twice and decides by the answers, in both hooks. What a copy remembers is lost while it waits.
func waiter(t *testing.T) sallyport.Configure {
	start := func(path string) int {
		n, err := sallyport.StartFetch("auth", sallyport.FetchRequest{Path: path})
		if err != nil {
			t.Error(err)
		}
		return n
	}
	decide := func(remembered bool, from int, seen ...string) error {
		if remembered {
			return errors.New("the copy that waited goes on")
		}
		for i, want := range seen {
			a, err := sallyport.Fetched(from + i)
			if err != nil || a.Headers.Get("X-Seen") != want {
				return fmt.Errorf("fetch %d: %v, %q", from+i, err, a.Headers.Get("X-Seen"))
			}
		}
		return nil
	}
	return func([]byte) (sallyport.Hooks, error) {
		var request, response bool
		return sallyport.Hooks{
			Request: func(r *sallyport.Request) (sallyport.Verdict, error) {
				request = true
				if a, b := start("/a"), start("/b"); a != 0 || b != 1 {
					t.Errorf("numbers %d, %d", a, b)
				}
				_, err := sallyport.Fetched(0)
				wantError(t, "too early", err, sallyport.ErrConflict)
				_ = r.SetState([]byte("asked"))
				_ = r.Headers.Set("X-Asked", "yes")
				return r.Wait()
			},
			ResumeRequest: func(r *sallyport.Request) (sallyport.Verdict, error) {
				if string(r.State()) != "asked" {
					t.Errorf("the state is %q", r.State())
				}
				if _, err := sallyport.Fetched(2); err == sallyport.ErrNotFound {
					start("/c")
					return r.Wait() // once more
				}
				return sallyport.Continue, decide(request, 0, "/a", "/b", "/c")
			},
			Response: func(r *sallyport.Response) error {
				response = true
				start("/d")
				return r.Wait()
			},
			ResumeResponse: func(r *sallyport.Response) error {
				_ = r.SetStatus(202)
				return decide(response, 0, "/a", "/b", "/c", "/d")
			},
		}, nil
	}
}

func TestWait(t *testing.T) {
	w := upstreams()
	p := sallyporttest.ConfigureIn(t, w, waiter(t), "{}")
	x := sallyporttest.NewExchangeIn(w, "GET", "/")
	if verdict, err := p.Request(x); verdict != sallyport.Continue || err != nil {
		t.Fatal(verdict, err)
	}
	if err := p.Response(x); err != nil || x.Status != 202 || x.Request.Get("X-Asked") != "yes" {
		t.Fatal(err, x.Status, x.Request)
	}
}

func TestWaitThatIsWrong(t *testing.T) {
	wait := func(r *sallyport.Request) (sallyport.Verdict, error) { return r.Wait() }
	start := func(r *sallyport.Request) (sallyport.Verdict, error) {
		_, _ = sallyport.StartFetch("auth", sallyport.FetchRequest{})
		return r.Wait()
	}
	waitResponse := func(r *sallyport.Response) error { return r.Wait() }
	for name, hooks := range map[string]sallyport.Hooks{
		"nothing to wait for":            {Request: wait, ResumeRequest: wait, Response: waitResponse, ResumeResponse: waitResponse},
		"waiting again without a fetch":  {Request: start, ResumeRequest: wait, Response: waitResponse, ResumeResponse: waitResponse},
		"nothing to go on with":          {Request: start, Response: waitResponse},
		"failing, although it has begun": {Request: start, ResumeRequest: func(r *sallyport.Request) (sallyport.Verdict, error) { return r.Respond(99, nil) }, Response: waitResponse},
	} {
		w := upstreams()
		p := sallyporttest.ConfigureIn(t, w, func([]byte) (sallyport.Hooks, error) { return hooks, nil }, "{}")
		x := sallyporttest.NewExchangeIn(w, "GET", "/")
		if verdict, err := p.Request(x); err == nil {
			t.Errorf("%s: got %v", name, verdict)
		}
		if err := p.Response(x); err == nil {
			t.Errorf("%s, response: no error", name)
		}
	}
}

func TestRespondAfterAWait(t *testing.T) {
	w := upstreams()
	p := sallyporttest.ConfigureIn(t, w, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{
			Request: func(r *sallyport.Request) (sallyport.Verdict, error) {
				_, _ = r.Respond(403, []byte("prepared"))
				_, err := sallyport.StartFetch("down", sallyport.FetchRequest{})
				wantError(t, "StartFetch", err, nil)
				return r.Wait()
			},
			ResumeRequest: func(r *sallyport.Request) (sallyport.Verdict, error) {
				_, err := sallyport.Fetched(0)
				wantError(t, "Fetched", err, sallyport.ErrUnavailable)
				return sallyport.Respond, nil
			},
		}, nil
	}, "{}")
	x := sallyporttest.NewExchangeIn(w, "GET", "/")
	if verdict, err := p.Request(x); verdict != sallyport.Respond || err != nil || x.Status != 403 || x.Body != "prepared" {
		t.Errorf("got %v, %v, %d, %q", verdict, err, x.Status, x.Body)
	}
}

func TestVerifyJWT(t *testing.T) {
	long := `{"sub":"` + strings.Repeat("x", 5000) + `"}`
	w := &sallyporttest.World{Keys: map[string]*sallyporttest.KeySet{
		"main": {Valid: map[string]string{"good": `{"sub":"jo"}`, "long": long}, Expired: []string{"old"}}, "down": {Down: true},
	}}
	duringIn(t, w, func() {
		for _, tt := range []struct {
			keys, token, want string
			err               error
		}{
			{"main", "good", `{"sub":"jo"}`, nil}, {"main", "long", long, nil}, {"main", "good", `{"sub":"jo"}`, nil},
			{"main", "old", "", sallyport.ErrExpired}, {"main", "forged", "", sallyport.ErrInvalid}, {"main", "", "", sallyport.ErrInvalid},
			{"down", "good", "", sallyport.ErrUnavailable}, {"other", "good", "", sallyport.ErrNotGranted},
			{"main", strings.Repeat("x", 8<<10+1), "", sallyport.ErrTooLarge},
		} {
			if got, err := sallyport.VerifyJWT(tt.keys, tt.token); string(got) != tt.want || err != tt.err {
				t.Errorf("%s, %.10s: got %.20s, %v; want %.20s, %v", tt.keys, tt.token, got, err, tt.want, tt.err)
			}
		}
	})
}
