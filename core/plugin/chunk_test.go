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

// inPieces brings each text by itself.
func inPieces(texts ...string) *pieces {
	readers := make([]io.Reader, len(texts))
	for i, text := range texts {
		readers[i] = strings.NewReader(text)
	}
	return &pieces{Reader: io.MultiReader(readers...)}
}

// The probe writes each chunk twice, in capitals; '-' has it dropped, '!' refused, '?' makes it trap.
func TestChunks(t *testing.T) {
	tests := []struct {
		name    string
		held    string
		rest    []string
		onError chain.OnError
		want    string
		kind    fault.Kind // of the fault at the end; Internal: none
	}{
		{"held only", "ab", nil, chain.Deny, "ABAB", 0},
		{"in pieces", "ab", []string{"c", "-x", "de"}, chain.Deny, "ABABCCDEDE", 0},
		{"nothing held", "", []string{"abc"}, chain.Deny, "ABCABC", 0},
		{"refused", "ab", []string{"!c", "d"}, chain.Deny, "ABAB", fault.BadRequest},
		{"fails", "ab", []string{"?c", "d"}, chain.Deny, "ABAB", fault.Unavailable},
		{"fails and is skipped", "ab", []string{"?c", "d"}, chain.Skip, "ABAB?cDD", 0},
	}
	for _, tt := range tests {
		for _, direction := range []string{"request", "response"} {
			t.Run(tt.name+" "+direction, func(t *testing.T) {
				pool, _ := newProbe(t, &script{hooks: abi.HookRequestChunks | abi.HookResponseChunks})
				filter := pool.Filter("test", tt.onError)
				x := newExchange()
				source := inPieces(tt.rest...)
				body := exchange.Body{Length: exchange.Unknown, Held: []byte(tt.held), Source: source}
				target, err := &x.Req.Body, error(nil)
				if direction == "request" {
					x.Req.Body = body
					_, err = filter.Request(x, 0)
				} else {
					x.Resp.Status, x.Resp.Body = 200, body
					err, target = filter.Response(x, 0), &x.Resp.Body
				}
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(target)
				var f *fault.Fault
				if string(got) != tt.want || (tt.kind == 0) != (err == nil) || err != nil && (!errors.As(err, &f) || f.Kind != tt.kind || f.Side != fault.Plugin) {
					t.Errorf("got %q, %v", got, err)
				}
				_ = target.Close()
				if source.closed != 1 {
					t.Errorf("the source was closed %d times", source.closed)
				}
			})
		}
	}
}

func TestChunksOfLargeBodies(t *testing.T) {
	pool, _ := newProbe(t, &script{hooks: abi.HookRequestChunks})
	x := newExchange()
	text := strings.Repeat("abcdefgh", 10_000)
	x.Req.Body = exchange.Body{Length: int64(len(text)), Held: []byte(text[:5000]), Source: inPieces(text[5000:])}
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	if x.Req.Body.Length != exchange.Unknown {
		t.Errorf("the length is %d", x.Req.Body.Length)
	}
	got, err := io.ReadAll(&x.Req.Body)
	if len(got) != 2*len(text) || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestWithoutContentThereAreNoChunks(t *testing.T) {
	pool, _ := newProbe(t, &script{hooks: abi.HookRequestChunks | abi.HookResponseChunks})
	filter := pool.Filter("test", chain.Deny)
	for _, tt := range []struct {
		method string
		status int
	}{{"GET", 204}, {"GET", 304}, {"HEAD", 200}, {"GET", 200}} {
		x := newExchange()
		x.Req.Method, x.Resp.Status = tt.method, tt.status
		if tt.method == "HEAD" {
			x.Resp.Body.Length = 100
		}
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
		if err := filter.Response(x, 0); err != nil {
			t.Fatal(err)
		}
		if x.Req.Body.Source != nil || x.Resp.Body.Source != nil {
			t.Errorf("%+v: a source was put in", tt)
		}
	}
	if got := pool.Stats().Calls; got != 0 {
		t.Errorf("%d hooks ran", got)
	}
}
