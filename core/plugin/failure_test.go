package plugin

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func TestRetryInAFreshInstance(t *testing.T) {
	pool, book := newPoolOf(t, "flaky", Limits{MaxInstances: 1})
	filter := pool.Filter("routes[0].filters[1]", chain.Deny)
	for range 4 {
		x := newExchange()
		if _, err := filter.Request(x, 0); err != nil {
			t.Fatal(err)
		}
		if got := x.Req.Fields.Count("x-flaky"); got != 1 {
			t.Errorf("the field is there %d times, want once", got)
		}
	}
	if s := pool.Stats(); s.Retried != 3 || s.Failed(Trap) != 3 || s.Calls != 7 || s.Instances != 1 {
		t.Errorf("stats are %+v", s)
	}
	lines := book.lines(t)
	if len(lines) != 3 {
		t.Fatalf("%d log lines, want 3", len(lines))
	}
	want := map[string]any{
		"level": "INFO", "msg": "plugin failed, trying a fresh instance", "plugin": "flaky",
		"hash": pool.plugin.hash[:12], "filter": "routes[0].filters[1]", "route": "orders", "request_id": "req-1", "cause": "trap",
	}
	for key, value := range want {
		if lines[0][key] != value {
			t.Errorf("log has %s=%v, want %v", key, lines[0][key], value)
		}
	}
	if detail, _ := lines[0]["detail"].(string); !strings.Contains(detail, "unreachable") || !strings.Contains(detail, "wasm stack trace") {
		t.Errorf("detail is %q", detail)
	}
}

func TestNoRetryOnAFreshInstance(t *testing.T) {
	s := script{hooks: abi.HookRequest, request: []step{trap}}
	pool, _ := newProbe(t, &s)
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err == nil {
		t.Fatal("no error")
	}
	if got := pool.Stats(); got.Retried != 0 || got.Calls != 1 {
		t.Errorf("stats are %+v", got)
	}
}

func TestNoRetryAfterFuel(t *testing.T) {
	pool, _ := newPoolOf(t, "loop", Limits{Fuel: 2_000_000, TimeLimit: time.Minute})
	pool.idle[0].uses = 1
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err == nil {
		t.Fatal("no error")
	}
	if got := pool.Stats(); got.Retried != 0 || got.Calls != 1 {
		t.Errorf("stats are %+v", got)
	}
}

func TestStreamsAreLogged(t *testing.T) {
	pool, book := newPoolOf(t, "exits", Limits{})
	_, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0)
	if got := failureOf(t, err); !strings.Contains(got.Error(), "proc_exit(3)") {
		t.Errorf("got %v", got)
	}
	type line struct{ level, text string }
	var got []line
	for _, l := range book.lines(t) {
		text, _ := l["text"].(string)
		got = append(got, line{l["level"].(string), text})
	}
	want := []line{{"INFO", "one"}, {"INFO", "two"}, {"WARN", "half a line"}, {"ERROR", ""}}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestLogLines(t *testing.T) {
	long := strings.Repeat("x", abi.MaxText+1)
	s := script{request: []step{do("log", 0, "a"), do("log", 1, "b\nlevel=ERROR"), do("log", 2, "\xff"), do("log", 3, long)}}
	s.hooks = abi.HookRequest
	pool, book := newProbe(t, &s)
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	lines := book.lines(t)
	want := []struct{ level, text string }{{"DEBUG", "a"}, {"INFO", "b\nlevel=ERROR"}, {"WARN", "\uFFFD"}, {"ERROR", long[:abi.MaxText]}}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	for i, w := range want {
		l := lines[i]
		if l["level"] != w.level || l["text"] != w.text || l["route"] != "orders" || l["request_id"] != "req-1" || l["plugin"] != "probe" {
			t.Errorf("got %v, want %v", l, w)
		}
	}
}

func TestBucket(t *testing.T) {
	b := newBucket(2, 3)
	now := time.Unix(1000, 0)
	for i := range 3 {
		if _, ok := b.pass(now); !ok {
			t.Errorf("line %d did not pass", i)
		}
	}
	for range 4 {
		if _, ok := b.pass(now); ok {
			t.Error("a line too many passed")
		}
	}
	if dropped, ok := b.pass(now.Add(time.Second)); !ok || dropped != 4 {
		t.Errorf("got %d, %v; want 4 dropped and a pass", dropped, ok)
	}
	if dropped, ok := b.pass(now.Add(time.Second)); !ok || dropped != 0 {
		t.Errorf("got %d, %v; want 0 dropped and a pass", dropped, ok)
	}
}

func TestCauses(t *testing.T) {
	outOfRange := func() (err error) {
		defer func() { err = recover().(error) }()
		var none []int
		return errors.New(fmt.Sprint(none[len(none)]))
	}
	tests := []struct {
		name      string
		err       error
		stackGone bool
		want      Cause
		retry     bool
	}{
		{"any trap", errors.New("wasm error: unreachable"), false, Trap, true},
		{"stack", errors.New("wasm error: unreachable"), true, OutOfStack, false},
		{"engine's own bound", errors.New("stack overflow"), false, OutOfStack, false},
		{"interrupt", fmt.Errorf("x: %w", &interrupt{OutOfTime, "late"}), false, OutOfTime, false},
		{"our bug", fmt.Errorf("x: %w", outOfRange()), false, Bug, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := newFailure("on_request", tt.err, tt.stackGone)
			if got.Cause != tt.want || got.Cause.retry() != tt.retry {
				t.Errorf("got %v (retry %v), want %v (%v)", got.Cause, got.Cause.retry(), tt.want, tt.retry)
			}
		})
	}
}
