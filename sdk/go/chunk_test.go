package sallyport_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// doubling writes each piece twice; '-' has it left out, '!' refused, '?' is an error. It counts in its state.
func doubling(c *sallyport.Chunk, state interface {
	State() []byte
	SetState([]byte) error
}) (sallyport.Flow, error) {
	text := string(c.Bytes())
	n, _ := strconv.Atoi(string(state.State()))
	if err := state.SetState([]byte(strconv.Itoa(n + len(text)))); err != nil {
		return 0, err
	}
	switch {
	case strings.HasPrefix(text, "!"):
		return sallyport.Abort, nil
	case strings.HasPrefix(text, "?"):
		return sallyport.Pass, errors.New("what?")
	case strings.HasPrefix(text, "-"):
		return sallyport.Pass, c.Set(nil)
	}
	if c.Last() {
		text += "."
	}
	err := c.Set([]byte(text + text))
	if got := string(c.Bytes()); err == nil && got != text+text {
		err = errors.New("what was written is not there")
	}
	return sallyport.Pass, err
}

func TestChunks(t *testing.T) {
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{
			RequestChunk:  func(c *sallyport.Chunk) (sallyport.Flow, error) { return doubling(c, c) },
			ResponseChunk: func(r *sallyport.Response, c *sallyport.Chunk) (sallyport.Flow, error) { return doubling(c, r) },
		}, nil
	}, "{}")
	long := strings.Repeat("x", 40_000)
	for _, tt := range []struct {
		pieces []string
		want   string
		fails  bool
	}{
		{[]string{"a", "bc"}, "aabc.bc.", false},
		{[]string{"a", ""}, "aa..", false},
		{[]string{"-a", "b"}, "b.b.", false},
		{[]string{"a", "!b", "c"}, "aa", true},
		{[]string{"a", "?b", "c"}, "aa", true},
		{[]string{long}, long[:32<<10] + long[:32<<10] + long[32<<10:] + "." + long[32<<10:] + ".", false},
		{nil, "", false},
	} {
		x := sallyporttest.NewExchange("GET", "/")
		x.State = []byte("100")
		got, err := p.RequestChunks(x, tt.pieces...)
		if got != tt.want || (err != nil) != tt.fails || string(x.State) != "100" {
			t.Errorf("%.20q: got %.20q, %v, state %s", tt.pieces, got, err, x.State)
		}
		got, err = p.ResponseChunks(x, tt.pieces...)
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%.20q, response: got %.20q, %v", tt.pieces, got, err)
		}
		if want := 100 + len(strings.Join(tt.pieces, "")); !tt.fails && string(x.State) != strconv.Itoa(want) {
			t.Errorf("%.20q: the state is %s", tt.pieces, x.State)
		}
	}
	if _, err := p.RequestChunks(sallyporttest.NewExchange("GET", "/"), "!"); err != sallyporttest.ErrAborted {
		t.Errorf("got %v", err)
	}
}

func TestWhatChunkHooksCanReach(t *testing.T) {
	w := upstreams()
	w.SetValue("", "k", "v")
	p := sallyporttest.ConfigureIn(t, w, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{
			RequestChunk: func(c *sallyport.Chunk) (sallyport.Flow, error) {
				_, attr := c.Attr("a")
				_, err := sallyport.Fetch("auth", sallyport.FetchRequest{})
				wantError(t, "Fetch", err, sallyport.ErrWrongPhase)
				wantError(t, "SetAttr", c.SetAttr("a", "b"), sallyport.ErrWrongPhase)
				wantError(t, "Add", sallyport.NewCounter("pieces").Add(1), nil)
				_, err = sallyport.VerifyJWT("main", "good")
				wantError(t, "VerifyJWT", err, sallyport.ErrWrongPhase)
				if attr || c.Number() == 0 {
					t.Errorf("attribute %v, number %d", attr, c.Number())
				}
				return sallyport.Pass, nil
			},
			ResponseChunk: func(r *sallyport.Response, c *sallyport.Chunk) (sallyport.Flow, error) {
				_, err := sallyport.KV("").Get("k")
				wantError(t, "Get", err, sallyport.ErrWrongPhase)
				wantError(t, "SetAttr", r.SetAttr("a", "b"), nil)
				wantError(t, "Set", r.Headers.Set("a", "b"), sallyport.ErrWrongPhase)
				if got := r.Request.Method() + strconv.Itoa(r.Status()) + r.Headers.Get("B"); got != "GET200c" {
					t.Errorf("got %q", got)
				}
				if got, want := r.Trailers.Has("Checksum"), c.Last(); got != want {
					t.Errorf("trailers: %v, last: %v", got, want)
				}
				return sallyport.Pass, c.Set(append(c.Bytes(), '+'))
			},
		}, nil
	}, "{}")
	x := sallyporttest.NewExchangeIn(w, "GET", "/")
	x.Attrs = map[string]string{"a": "1"}
	x.Response.Add("B", "c")
	x.ResponseTrailers.Add("Checksum", "abc")
	if _, err := p.RequestChunks(x, "one", "two"); err != nil || w.Counters["pieces"] != 2 {
		t.Errorf("%v, counted %v", err, w.Counters)
	}
	if got, err := p.ResponseChunks(x, "one", "two"); got != "one+two+" || err != nil || x.Attrs["a"] != "b" {
		t.Errorf("got %q, %v, %v", got, err, x.Attrs)
	}
}

func TestWithoutChunkHooksBodiesPass(t *testing.T) {
	p := sallyporttest.Configure(t, func([]byte) (sallyport.Hooks, error) { return sallyport.Hooks{}, nil }, "{}")
	x := sallyporttest.NewExchange("GET", "/")
	request, err := p.RequestChunks(x, "a", "b")
	response, err2 := p.ResponseChunks(x, "c", "d")
	if request != "ab" || response != "cd" || err != nil || err2 != nil {
		t.Errorf("got %q, %q, %v, %v", request, response, err, err2)
	}
}
