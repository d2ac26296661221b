package plugin

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// pieces is content that comes as its Reader brings it.
type pieces struct {
	io.Reader
	closed int
}

func (p *pieces) Close() error {
	p.closed++
	return nil
}

func bodyOf(text string, length int64) exchange.Body {
	return exchange.Body{Length: length, Held: []byte(text[:len(text)/2]), Source: &pieces{Reader: strings.NewReader(text[len(text)/2:])}}
}

func TestRequestBody(t *testing.T) {
	x := newExchange()
	x.Req.Body = bodyOf("hello, world", exchange.Unknown)
	x.Req.Trailers.Add("Checksum", "abc")
	s := script{hooks: abi.HookRequestBody, request: []step{
		do("body_size", 0), do("body_read", 0, 7, buf(32)), do("body_read", 0, 12, buf(4)), do("body_read", 0, -1, buf(4)),
		do("body_read", 0, 0, buf(5)), do("body_size", 1), do("body_size", 2), do("body_size", 16),
		do("header_get", 2, "checksum", buf(8)), do("header_set", 2, "checksum", "x"), do("header_get", 3, "checksum", buf(8)),
		do("body_write", 0, "bye"), do("body_read", 0, 0, buf(8)), do("body_write", 0, strings.Repeat("x", 0)), do("body_size", 0),
		do("body_write", 0, "again"), do("body_write", 3, "x"), do("body_write", 16, "x"), do("body_write", 1, "x"),
	}}
	compare(t, runRequest(t, s, x), []string{
		"12", "5 world", "0 ", "0 ", "5 hello", "-4", "-2", "-1",
		"3 abc", "-4", "-4", "0", "3 bye", "0", "0", "0", "-4", "-2", "-4",
	})
	if got := string(x.Req.Body.Held); got != "again" || x.Req.Body.Length != 5 || !x.Req.Body.Whole() {
		t.Errorf("the body is %q, %+v", got, x.Req.Body)
	}
}

func TestBodyIsNotAtHandUnlessAskedFor(t *testing.T) {
	x := newExchange()
	x.Req.Body = bodyOf("hello", 5)
	s := script{hooks: abi.HookRequest, request: []step{
		do("body_size", 0), do("body_read", 0, 0, buf(8)), do("body_write", 0, "x"), do("header_get", 2, "a", buf(8)),
		do("respond", 200, "mine"), do("body_read", 1, 0, buf(8)), do("body_write", 1, "better"), do("body_size", 1),
	}, results: [3]int32{0, 1}}
	compare(t, runRequest(t, s, x), []string{"-4", "-4", "-4", "-4", "0", "4 mine", "0", "6"})
	if x.Req.Body.Whole() || string(x.Resp.Body.Held) != "better" {
		t.Errorf("request %+v, response %q", x.Req.Body, x.Resp.Body.Held)
	}
}

func TestResponseBody(t *testing.T) {
	x := newExchange()
	x.Resp.Status = 200
	old := &pieces{Reader: strings.NewReader("lo")}
	x.Resp.Body = exchange.Body{Length: 5, Held: []byte("hel"), Source: old}
	s := &script{hooks: abi.HookResponseBody, response: []step{
		do("body_size", 1), do("body_read", 1, 0, buf(8)), do("body_write", 1, "HELLO!"), do("header_all", 3, "", buf(8)), do("body_size", 0),
	}}
	pool, _ := newProbe(t, s)
	if err := pool.Filter("test", chain.Deny).Response(x, 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), []string{"5", "5 hello", "0", "4 \x00\x00\x00\x00", "-4"})
	if string(x.Resp.Body.Held) != "HELLO!" || old.closed != 1 {
		t.Errorf("the body is %q, the old one closed %d times", x.Resp.Body.Held, old.closed)
	}
}

// An answer to HEAD tells the length of content that is not there. What a hook that may change it would make of it, nobody knows.
func TestLengthOfAnswersToHead(t *testing.T) {
	asks := do("body_size", 1)
	tests := []struct {
		name   string
		steps  []step
		result int32
		length int64
		size   string
	}{
		{"read", []step{asks}, 0, exchange.Unknown, "0"},
		{"written from what was read", []step{asks, do("body_write", 1, "")}, 0, exchange.Unknown, "0"},
		{"written", []step{asks, do("body_write", 1, "hello")}, 0, 5, "0"},
		{"failed", []step{asks, do("body_write", 1, "hello")}, 7, 1 << 40, "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange()
			x.Req.Method, x.Resp.Status = "HEAD", 200
			// An upload under way, say, leaves a Source that brings nothing.
			x.Resp.Body = exchange.Body{Length: 1 << 40, Source: &pieces{Reader: strings.NewReader("")}}
			s := &script{hooks: abi.HookResponseBody, response: tt.steps, results: [3]int32{0, 0, tt.result}}
			pool, _ := newProbe(t, s)
			i := pool.idle[0]
			if err := pool.Filter("test", chain.Deny).Response(x, 0); (err != nil) != (tt.result != 0) {
				t.Fatal(err)
			}
			if got := s.outcomes(i)[0]; got != tt.size || x.Resp.Body.Length != tt.length {
				t.Errorf("the hook saw %s bytes, the length is %d; want %s, %d", got, x.Resp.Body.Length, tt.size, tt.length)
			}
		})
	}
}

func TestWrittenBodiesAreUndone(t *testing.T) {
	x := newExchange()
	x.Req.Body = bodyOf("hello", 5)
	s := &script{hooks: abi.HookRequestBody, request: []step{do("body_write", 0, "x"), do("body_write", 0, "y"), trap}}
	pool, _ := newProbe(t, s)
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err == nil {
		t.Fatal("no failure")
	}
	if got := string(x.Req.Body.Held); got != "hello" {
		t.Errorf("the body is %q", got)
	}
}

func TestBodiesThatCannotBeHeld(t *testing.T) {
	late := &fault.Fault{Kind: fault.RequestTimeout, Side: fault.Client}
	tests := []struct {
		name string
		body exchange.Body
		kind fault.Kind
	}{
		{"known to be too large", bodyOf(strings.Repeat("x", 2000), 2000), fault.BodyTooLarge},
		{"found to be too large", bodyOf(strings.Repeat("x", 2000), exchange.Unknown), fault.BodyTooLarge},
		{"does not come", exchange.Body{Length: 5, Source: &pieces{Reader: failing{late}}}, fault.RequestTimeout},
		{"fails strangely", exchange.Body{Length: 5, Source: &pieces{Reader: failing{errors.New("odd")}}}, fault.BodyTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := newHost(t)
			s := &script{hooks: abi.HookRequestBody | abi.HookResponseBody}
			pool := configure(t, load(t, h, "probe", Limits{BufferLimit: 1024}), s.compile(t))
			filter := pool.Filter("test", chain.Deny)
			x := newExchange()
			x.Req.Body = tt.body
			_, err := filter.Request(x, 0)
			if f := fault.From(err); f == nil || f.Kind != tt.kind || f.Side != fault.Client {
				t.Errorf("got %v", err)
			}
			if pool.Stats().Calls != 0 {
				t.Error("the hook ran")
			}
			x.Req.Body.Reset()
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestEndHook(t *testing.T) {
	s := &script{hooks: abi.HookRequest | abi.HookEnd, request: []step{do("state_set", "kept")}, end: []step{
		do("state_get", buf(8)), do("status", 1), do("header_set", 1, "a", "b"), do("respond", 200, ""), do("header_get", 2, "a", buf(8)),
	}}
	pool, _ := newProbe(t, s)
	c, err := chain.Compile([]chain.Step{{Name: "probe", Filter: pool.Filter("test", chain.Deny)}}, nil)
	if err != nil || !c.HasEnd() {
		t.Fatal(err, c.HasEnd())
	}
	x := newExchange()
	if c.Request(x) != chain.Continue {
		t.Fatal("responded")
	}
	x.Resp.Status = 204
	c.Response(x)
	c.End(x)
	compare(t, s.outcomes(pool.idle[0]), []string{"0", "4 kept", "204", "-4", "-4", "-1"})
}
