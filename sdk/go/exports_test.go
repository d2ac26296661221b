package sallyport

import (
	"errors"
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
	host.Run(host.InRequest, false, &x, func() { request = exportRequest() })
	host.Run(host.InResponse, false, &x, func() { response = exportResponse() })
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
		host.Run(host.InEnd, false, &host.Exchange{}, exportEnd)
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
