package plugin

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
)

// tooMuch is the error of a document that is too large.
type tooMuch struct{}

func (tooMuch) Error() string  { return "too large" }
func (tooMuch) TooLarge() bool { return true }

// fakeSchema finds wrong what begins with a bracket, and takes so much work to find out.
type fakeSchema struct {
	work    int64
	err     error
	allowed *int64
}

func (s fakeSchema) Check(document []byte, allowed int64) (string, int64, error) {
	*s.allowed = allowed
	if s.err != nil || !strings.HasPrefix(string(document), "[") {
		return "", s.work, s.err
	}
	return `["` + string(document) + `"]`, s.work, nil
}

// schemaPool returns a pool of a guest that checks in ways that its request's query names.
func schemaPool(t *testing.T, s fakeSchema) *Pool {
	t.Helper()
	h, _ := newHost(t)
	pool, err := load(t, h, "schema", Limits{Fuel: 1_000_000}).Configure([]byte(`{}`), Grants{Schemas: map[string]Schema{"order": s}})
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func TestSchemaCheck(t *testing.T) {
	var allowed int64
	pool := schemaPool(t, fakeSchema{allowed: &allowed})
	for _, tt := range []struct {
		name, way, body string
		status          int
		want            string
	}{
		{"a good body", "b", "{}", 200, ""},
		{"a bad body", "b", "[2]", 200, `["[2]"]`},
		{"bytes", "d", "{}", 200, `["[1,"x"]"]`},
		{"not granted", "o", "{}", 403, ""},
		{"name too long", "n", "{}", 405, ""},
		{"no message", "m", "{}", 402, ""},
		{"a response that is not there", "r", "{}", 404, ""},
		{"into too little", "s", "{}", 599, ""},
	} {
		x := newExchange()
		x.Req.Query = tt.way
		x.Req.Body.Set([]byte(tt.body))
		if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := string(x.Resp.Body.Held); x.Resp.Status != tt.status || got != tt.want {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, x.Resp.Status, got, tt.status, tt.want)
		}
	}
	if allowed < 700_000 || allowed > 750_000 {
		t.Errorf("a check may take %d of a million units", allowed)
	}
	for _, way := range []string{"x", "y", "z"} {
		x := newExchange()
		x.Req.Query = way
		x.Req.Body.Set(nil)
		_, err := pool.Filter("test", chain.Deny).Request(x, 0)
		if got := failureOf(t, err); got.Cause != Trap || !strings.Contains(got.Error(), "outside the memory") {
			t.Errorf("%s: got %v", way, got)
		}
	}
}

func TestSchemaCheckThatFails(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
	}{{tooMuch{}, 405}, {errors.New("broken"), 407}} {
		var allowed int64
		x := newExchange()
		x.Req.Query = "d"
		x.Req.Body.Set(nil)
		if _, err := schemaPool(t, fakeSchema{err: tt.err, allowed: &allowed}).Filter("test", chain.Deny).Request(x, 0); err != nil || x.Resp.Status != tt.status {
			t.Errorf("%v: got %d, %v", tt.err, x.Resp.Status, err)
		}
	}
}

// The work is the guest's: what it takes of its fuel, it has not any more.
func TestSchemaCheckCostsFuel(t *testing.T) {
	var allowed int64
	pool := schemaPool(t, fakeSchema{work: 600_000, allowed: &allowed})
	x := newExchange()
	x.Req.Query = "d"
	x.Req.Body.Set(nil)
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	if got := pool.Stats().Fuel; got < 600_000 || got > 620_000 {
		t.Errorf("it cost %d", got)
	}
	pool = schemaPool(t, fakeSchema{work: 1_000_000, allowed: &allowed})
	_, err := pool.Filter("test", chain.Deny).Request(x, 0)
	if got := failureOf(t, err); got.Cause != OutOfFuel {
		t.Errorf("got %v", got)
	}
}
