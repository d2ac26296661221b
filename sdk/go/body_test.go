package sallyport_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// whole returns a plugin with the given hooks that asks for both bodies.
func whole(t *testing.T, request func(*sallyport.Request) (sallyport.Verdict, error), response func(*sallyport.Response) error) *sallyporttest.Plugin {
	t.Helper()
	return sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: request, RequestBody: true, Response: response, ResponseBody: true}, nil
	}, "{}")
}

func TestReadingBodies(t *testing.T) {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 100_000, 10} {
		x := sallyporttest.NewExchange("POST", "/")
		x.RequestBody = strings.Repeat("0123456789", size/10+1)[:size]
		p := whole(t, func(r *sallyport.Request) (sallyport.Verdict, error) {
			view, err := r.Body.Bytes()
			if err != nil || string(view) != x.RequestBody || cap(view) != len(view) {
				t.Errorf("Bytes of %d: %d bytes, %v", size, len(view), err)
			}
			_ = r.Headers.Get("Host") // does not disturb the view
			if string(view) != x.RequestBody {
				t.Errorf("Bytes of %d were not kept", size)
			}
			kept, err := r.Body.Copy()
			if n, sizeErr := r.Body.Size(); err != nil || sizeErr != nil || n != size || string(kept) != x.RequestBody {
				t.Errorf("Copy of %d: %d bytes of %d, %v, %v", size, len(kept), n, err, sizeErr)
			}
			read, err := io.ReadAll(io.NewSectionReader(r.Body, 0, 1<<20))
			if err != nil || string(read) != x.RequestBody {
				t.Errorf("ReadAt of %d: %d bytes, %v", size, len(read), err)
			}
			return sallyport.Continue, nil
		}, nil)
		if _, err := p.Request(x); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadAt(t *testing.T) {
	x := sallyporttest.NewExchange("POST", "/")
	x.RequestBody = "hello"
	p := whole(t, func(r *sallyport.Request) (sallyport.Verdict, error) {
		for _, tt := range []struct {
			off  int64
			want string
			err  error
		}{{0, "hel", nil}, {2, "llo", nil}, {3, "lo", io.EOF}, {5, "", io.EOF}, {9, "", io.EOF}, {-1, "", sallyport.ErrInvalid}, {1 << 32, "", sallyport.ErrInvalid}} {
			p := make([]byte, 3)
			if n, err := r.Body.ReadAt(p, tt.off); string(p[:n]) != tt.want || err != tt.err {
				t.Errorf("at %d: got %q, %v; want %q, %v", tt.off, p[:n], err, tt.want, tt.err)
			}
		}
		return sallyport.Continue, nil
	}, nil)
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
}

func TestReadingABodyDoesNotAllocate(t *testing.T) {
	x := sallyporttest.NewExchange("POST", "/")
	x.RequestBody = strings.Repeat("x", 4096)
	p := whole(t, func(r *sallyport.Request) (sallyport.Verdict, error) {
		if got := testing.AllocsPerRun(100, func() {
			if b, err := r.Body.Bytes(); err != nil || len(b) != 4096 {
				t.Errorf("got %d bytes, %v", len(b), err)
			}
		}); got != 0 {
			t.Errorf("%v allocations", got)
		}
		return sallyport.Continue, nil
	}, nil)
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
}

func TestWritingBodies(t *testing.T) {
	x := sallyporttest.NewExchange("POST", "/")
	x.RequestBody, x.Body = "hello", "number 42"
	p := whole(t, func(r *sallyport.Request) (sallyport.Verdict, error) {
		if err := r.Body.Set(make([]byte, 1<<20+1)); err != sallyport.ErrTooLarge {
			t.Errorf("a large body: %v", err)
		}
		return sallyport.Continue, r.Body.Set([]byte("HELLO!"))
	}, func(r *sallyport.Response) error {
		if _, err := r.Request.Body.Bytes(); err != sallyport.ErrWrongPhase {
			t.Errorf("the request's body: %v", err)
		}
		b, err := r.Body.Bytes()
		if err != nil {
			return err
		}
		for i, c := range b { // in place
			if '0' <= c && c <= '9' {
				b[i] = '#'
			}
		}
		return r.Body.Set(b)
	})
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
	if err := p.Response(x); err != nil {
		t.Fatal(err)
	}
	if x.RequestBody != "HELLO!" || x.Body != "number ##" {
		t.Errorf("got %q and %q", x.RequestBody, x.Body)
	}
	x.Status = 204
	if err := p.Response(x); err != sallyport.ErrInvalid {
		t.Errorf("a body for 204: %v", err)
	}
}

func TestBodiesNotAskedFor(t *testing.T) {
	x := sallyporttest.NewExchange("POST", "/")
	x.RequestBody, x.RequestTrailers = "hello", sallyporttest.Fields{{Name: "A", Value: "1"}}
	absent := func(what string, b sallyport.Body, trailers sallyport.Headers) {
		_, bytesErr := b.Bytes()
		_, copyErr := b.Copy()
		_, sizeErr := b.Size()
		_, readErr := b.ReadAt(make([]byte, 1), 0)
		for _, err := range []error{bytesErr, copyErr, sizeErr, readErr, b.Set(nil)} {
			if err != sallyport.ErrWrongPhase {
				t.Errorf("%s: got %v, want %v", what, err, sallyport.ErrWrongPhase)
			}
		}
		if trailers.Has("A") || len(trailers.All()) != 0 {
			t.Errorf("%s has trailers", what)
		}
	}
	during(t, x, func(r *sallyport.Request) {
		absent("request", r.Body, r.Trailers)
	}, func(r *sallyport.Response) {
		absent("request in response", r.Request.Body, r.Request.Trailers)
		absent("response", r.Body, r.Trailers)
		if err := r.Respond(200, []byte("mine")); err != nil {
			t.Error(err)
		}
		if b, err := r.Body.Bytes(); err != nil || string(b) != "mine" {
			t.Errorf("a body of its own: %q, %v", b, err)
		}
		if err := r.Body.Set([]byte("better")); err != nil {
			t.Error(err)
		}
	})
	if x.Body != "better" {
		t.Errorf("the body is %q", x.Body)
	}
}

func TestTrailers(t *testing.T) {
	x := sallyporttest.NewExchange("POST", "/")
	x.RequestTrailers = sallyporttest.Fields{{Name: "Checksum", Value: "1"}}
	x.ResponseTrailers = sallyporttest.Fields{{Name: "Checksum", Value: "2"}}
	p := whole(t, func(r *sallyport.Request) (sallyport.Verdict, error) {
		if got, want := r.Trailers.Get("checksum"), "1"; got != want {
			t.Errorf("request: got %q, want %q", got, want)
		}
		if err := r.Trailers.Set("checksum", "0"); err != sallyport.ErrWrongPhase {
			t.Errorf("writing: %v", err)
		}
		return sallyport.Continue, nil
	}, func(r *sallyport.Response) error {
		if got, want := r.Trailers.Get("checksum"), "2"; got != want || r.Request.Trailers.Has("checksum") {
			t.Errorf("response: got %q, want %q, and none of the request", got, want)
		}
		return r.Respond(502, nil)
	})
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
	if err := p.Response(x); err != nil {
		t.Fatal(err)
	}
	if len(x.RequestTrailers) != 1 || len(x.ResponseTrailers) != 0 {
		t.Errorf("left are %q and %q: another response has no trailers", x.RequestTrailers, x.ResponseTrailers)
	}
}

func TestFailurePutsBodiesBack(t *testing.T) {
	x := sallyporttest.NewExchange("POST", "/")
	x.RequestBody, x.Body = "hello", "there"
	broken := errors.New("broken")
	p := whole(t, func(r *sallyport.Request) (sallyport.Verdict, error) {
		return sallyport.Continue, errors.Join(r.Body.Set([]byte("x")), broken)
	}, func(r *sallyport.Response) error { return errors.Join(r.Body.Set([]byte("x")), broken) })
	_, requestErr := p.Request(x)
	responseErr := p.Response(x)
	if !errors.Is(requestErr, broken) || !errors.Is(responseErr, broken) || x.RequestBody != "hello" || x.Body != "there" {
		t.Errorf("got %v, %v, %q, %q", requestErr, responseErr, x.RequestBody, x.Body)
	}
}

// The end hook reads everything but bodies, and changes nothing but the state.
func TestEnd(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	x.Status, x.State = 404, []byte("kept")
	x.ResponseTrailers = sallyporttest.Fields{{Name: "A", Value: "1"}}
	calls := 0
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{End: func(r *sallyport.Response) {
			calls++
			_, bodyErr := r.Body.Bytes()
			for _, err := range []error{
				bodyErr, r.Headers.Set("A", "1"), r.SetStatus(200), r.SetAttr("a", "b"), r.Respond(200, nil), r.Body.Set(nil),
				r.Request.Headers.Remove("A"), r.Request.SetPath("/"), r.Trailers.Add("A", "2"),
			} {
				if err != sallyport.ErrWrongPhase {
					t.Errorf("got %v, want %v", err, sallyport.ErrWrongPhase)
				}
			}
			if r.Status() != 404 || string(r.State()) != "kept" || r.Trailers.Get("A") != "1" || r.Request.Method() != "GET" {
				t.Error("something cannot be read")
			}
			if err := r.SetState(nil); err != nil {
				t.Error(err)
			}
		}}, nil
	}, "{}")
	p.End(x)
	x.Status = 0
	whole(t, nil, nil).End(x)
	if calls != 1 {
		t.Errorf("called %d times", calls)
	}
}

func TestEndWithoutAnswer(t *testing.T) {
	x := sallyporttest.NewExchange("GET", "/")
	x.Status = 0
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{End: func(r *sallyport.Response) {
			if got := r.Status(); got != 0 {
				t.Errorf("the status is %d", got)
			}
		}}, nil
	}, "{}")
	p.End(x)
}
