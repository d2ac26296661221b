package sallyport

import (
	"errors"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

func onRequest(*Request) (Verdict, error) { return Continue, nil }
func onResponse(*Response) error          { return errors.New("broken") }

func TestABILevel(t *testing.T) {
	if got, want := exportABI(), int32(1); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

func TestConfigureExport(t *testing.T) {
	tests := []struct {
		name   string
		hooks  Hooks
		err    error
		want   int32
		reason string
	}{
		{"none", Hooks{}, nil, 0, ""},
		{"request", Hooks{Request: onRequest}, nil, 1, ""},
		{"response", Hooks{Response: onResponse}, nil, 4, ""},
		{"both", Hooks{Request: onRequest, Response: onResponse}, nil, 5, ""},
		{"bodies", Hooks{Request: onRequest, RequestBody: true, Response: onResponse, ResponseBody: true}, nil, 15, ""},
		{"bodies that no hook wants", Hooks{RequestBody: true, ResponseBody: true}, nil, 0, ""},
		{"end", Hooks{End: func(*Response) {}}, nil, 64, ""},
		{"chunks", Hooks{RequestChunk: onChunk, ResponseChunk: onResponseChunk}, nil, 48, ""},
		{"bound", Hooks{Bound: true, End: func(*Response) {}}, nil, 192, ""},
		{"what resumes is no hook of its own", Hooks{ResumeRequest: onRequest, ResumeResponse: onResponse}, nil, 0, ""},
		{"refused", Hooks{}, errors.New("/a must not be"), -1, "/a must not be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got int32
			var config string
			Register(func(raw []byte) (Hooks, error) {
				config = string(raw)
				return tt.hooks, tt.err
			})
			reason := host.Configure(`{"a":1}`, func() { got = exportConfigure() })
			if got != tt.want || reason != tt.reason || config != `{"a":1}` {
				t.Errorf("got %d, %q, config %s; want %d, %q", got, reason, config, tt.want, tt.reason)
			}
		})
	}
}

func TestConfigureWithoutRegister(t *testing.T) {
	Register(nil)
	var got int32
	if reason := host.Configure(`{}`, func() { got = exportConfigure() }); got >= 0 || reason == "" {
		t.Errorf("got %d, %q", got, reason)
	}
}

func TestFailingHookExport(t *testing.T) {
	hooks = Hooks{Request: onRequest, Response: onResponse}
	var x host.Exchange
	var request, response int32
	host.Run(host.InRequest, false, false, &x, func() { request = exportRequest() })
	host.Run(host.InResponse, false, false, &x, func() { response = exportResponse() })
	if request != 0 || response >= 0 {
		t.Errorf("got %d and %d, want 0 and a negative number", request, response)
	}
	if len(x.Log) != 1 || x.Log[0] != "broken" {
		t.Errorf("log: %q", x.Log)
	}
}

func TestEndExport(t *testing.T) {
	ended := 0
	for _, hooks = range []Hooks{{}, {End: func(r *Response) { ended++ }}} {
		host.Run(host.InEnd, false, false, &host.Exchange{}, exportEnd)
	}
	if ended != 1 {
		t.Errorf("the hook was called %d times", ended)
	}
}

func TestErrorCodes(t *testing.T) {
	for code := ErrCancelled; code < 0; code++ {
		if text := code.Error(); text == "" || text[:4] == "code" {
			t.Errorf("code %d has the text %q", int(code), text)
		}
	}
	if got, want := ErrorCode(-42).Error(), "code -42"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func onChunk(*Chunk) (Flow, error) { return Abort, nil }
func onResponseChunk(_ *Response, c *Chunk) (Flow, error) {
	return Pass, c.Set(append(c.Bytes(), "!"...))
}

func TestChunkExports(t *testing.T) {
	for _, tt := range []struct {
		name              string
		hooks             Hooks
		request, response int32
		left              string
	}{
		{"none", Hooks{}, 0, 0, "piece"},
		{"both", Hooks{RequestChunk: onChunk, ResponseChunk: onResponseChunk}, 1, 0, "piece!"},
		{"failing", Hooks{
			RequestChunk:  func(*Chunk) (Flow, error) { return Pass, errors.New("broken") },
			ResponseChunk: func(*Response, *Chunk) (Flow, error) { return Pass, errors.New("broken") },
		}, failed, failed, "piece"},
	} {
		hooks = tt.hooks
		c := &host.Chunk{Bytes: "piece"}
		var request, response int32
		host.RunChunk(host.InRequestChunk, c, &host.Exchange{}, func() { request = exportRequestChunk(5, 0) })
		host.RunChunk(host.InResponseChunk, c, &host.Exchange{}, func() { response = exportResponseChunk(5, 0) })
		if request != tt.request || response != tt.response || c.Bytes != tt.left {
			t.Errorf("%s: got %d, %d, %q", tt.name, request, response, c.Bytes)
		}
	}
}

func TestResumeExport(t *testing.T) {
	hooks = Hooks{
		Request:        func(r *Request) (Verdict, error) { return r.Wait() },
		ResumeRequest:  func(r *Request) (Verdict, error) { return r.Respond(403, nil) },
		Response:       func(r *Response) error { return r.Wait() },
		ResumeResponse: func(r *Response) error { return errors.New("of the response") },
	}
	run := func(phase host.Phase, export func() int32) (result int32) {
		host.Run(phase, false, false, &host.Exchange{}, func() { result = export() })
		return result
	}
	check := func(want ...int32) {
		t.Helper()
		got := []int32{
			run(host.InRequest, exportRequest), run(host.InRequest, exportResume), run(host.InResponse, exportResponse), run(host.InResponse, exportResume),
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	check(2, 1, 2, failed)
	hooks.ResumeResponse = func(r *Response) error { return r.Wait() }
	check(2, 1, 2, 2)
	hooks.ResumeResponse = func(r *Response) error { return nil }
	check(2, 1, 2, 0)
	hooks.ResumeRequest, hooks.ResumeResponse = nil, nil
	check(failed, failed, failed, failed)
}
