package plugin

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// fakeUpstream answers fetches.
type fakeUpstream struct {
	serve func(x *exchange.Exchange, deadline time.Time) *fault.Fault

	mu   sync.Mutex
	seen []string
}

func (u *fakeUpstream) Fetch(x *exchange.Exchange, deadline time.Time) *fault.Fault {
	var text strings.Builder
	text.WriteString(x.Req.Method + " " + x.Req.Host + x.Req.Path + "?" + x.Req.Query)
	for _, f := range x.Req.Fields.All() {
		text.WriteString(" " + f.Name + ":" + f.Value)
	}
	text.WriteString(" " + string(x.Req.Body.Held))
	u.mu.Lock()
	u.seen = append(u.seen, text.String())
	u.mu.Unlock()
	return u.serve(x, deadline)
}

func answering(status int, body string) *fakeUpstream {
	return &fakeUpstream{serve: func(x *exchange.Exchange, _ time.Time) *fault.Fault {
		x.Resp.Status = status
		x.Resp.Fields.Add("X-User", "jo")
		x.Resp.Body = exchange.Body{Length: exchange.Unknown, Held: []byte(body[:1]), Source: &pieces{Reader: strings.NewReader(body[1:])}}
		return nil
	}}
}

// listOf encodes pairs of name and value.
func listOf(pairs ...string) string {
	var fields []header.Field
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, header.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return fieldList(fields...)
}

func newFetchingProbe(t testing.TB, s *script, upstreams map[string]Fetcher) (*Pool, *logBook) {
	t.Helper()
	pool, book := newProbe(t, s)
	pool.grants.Upstreams = upstreams
	return pool, book
}

func TestFetch(t *testing.T) {
	up := answering(200, "welcome")
	fields := listOf(":method", "POST", ":path", "/a/../check?q=1", ":authority", "Auth.Internal", "X-Token", " abc ")
	s := &script{hooks: abi.HookRequest, request: []step{
		do("fetch", "auth", fields, "body", 60_000), do("status", 16), do("header_get", 16, "x-user", buf(8)), do("body_size", 16),
		do("body_read", 16, 3, buf(8)), do("fetch_result", 16), do("fetch_result", 17), do("header_set", 16, "a", "b"), do("body_write", 16, "x"),
		do("fetch", "auth", "", "", 0), do("status", 17), do("fetch", "other", "", "", 0),
	}}
	pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": up})
	x := newExchange()
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), []string{
		"16", "200", "2 jo", "7", "4 come", "16", "-1", "-2", "-2", "17", "200", "-3",
	})
	compare(t, up.seen, []string{"POST auth.internal/check?q=1 X-Token:abc X-Request-Id:req-1 body", "GET /? X-Request-Id:req-1 "})
}

func TestFetchArguments(t *testing.T) {
	up := answering(200, "ok")
	long := strings.Repeat("x", 20_000)
	tests := []struct {
		name string
		step step
		want string
	}{
		{"list cut short", do("fetch", "auth", listOf("a", "b")[:9], "", 0), "-2"},
		{"list too long", do("fetch", "auth", listOf("a", "b")+"x", "", 0), "-2"},
		{"list of three bytes", do("fetch", "auth", "abc", "", 0), "-2"},
		{"lying count", do("fetch", "auth", "\xff\xff\xff\xff", "", 0), "-5"},
		{"lying lengths", do("fetch", "auth", "\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", "", 0), "-2"},
		{"framing field", do("fetch", "auth", listOf("Content-Length", "5"), "", 0), "-2"},
		{"host field", do("fetch", "auth", listOf("Host", "a"), "", 0), "-2"},
		{"no name", do("fetch", "auth", listOf("", "a"), "", 0), "-2"},
		{"control character", do("fetch", "auth", listOf("a", "b\r\nc: d"), "", 0), "-2"},
		{"unknown pseudo field", do("fetch", "auth", listOf(":scheme", "https"), "", 0), "-2"},
		{"bad method", do("fetch", "auth", listOf(":method", "G T"), "", 0), "-2"},
		{"CONNECT", do("fetch", "auth", listOf(":method", "CONNECT"), "", 0), "-2"},
		{"bad path", do("fetch", "auth", listOf(":path", "/../x"), "", 0), "-2"},
		{"no path", do("fetch", "auth", listOf(":path", "x"), "", 0), "-2"},
		{"bad query", do("fetch", "auth", listOf(":path", "/?a b"), "", 0), "-2"},
		{"bad authority", do("fetch", "auth", listOf(":authority", "a/b"), "", 0), "-2"},
		{"long value", do("fetch", "auth", listOf("a", long), "", 0), "-5"},
		{"long upstream", do("fetch", long[:257], "", "", 0), "-5"},
		{"not granted", do("fetch_start", "", "", "", 0), "-3"},
	}
	var s script
	var want, got []string
	for _, tt := range tests {
		s.request = append(s.request, tt.step)
	}
	s.hooks = abi.HookRequest
	pool, _ := newFetchingProbe(t, &s, map[string]Fetcher{"auth": up})
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	for i, outcome := range s.outcomes(pool.idle[0]) {
		got = append(got, tests[i].name+": "+outcome)
		want = append(want, tests[i].name+": "+tests[i].want)
	}
	compare(t, got, want)
	if len(up.seen) != 0 {
		t.Errorf("asked for %q", up.seen)
	}
}

func TestWaitHoldsNoInstance(t *testing.T) {
	release := make(chan struct{})
	up := &fakeUpstream{serve: func(x *exchange.Exchange, _ time.Time) *fault.Fault {
		<-release
		x.Resp.Status = 204
		return nil
	}}
	s := &script{
		hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait},
		request: []step{do("header_set", 0, "a", "1"), do("fetch_start", "auth", "", "", 0), do("fetch_start", "auth", "", "", 0)},
		resume:  []step{do("status", 16), do("status", 17), do("header_set", 0, "b", "2")},
	}
	pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": up}) // of one instance at most
	filter := pool.Filter("test", chain.Deny)
	const many = 50
	results := make(chan error, many)
	list := make([]*exchange.Exchange, many)
	for i := range list {
		list[i] = newExchange()
		go func() { _, err := filter.Request(list[i], 0); results <- err }()
	}
	until(t, "all fetches are under way", func() bool {
		up.mu.Lock()
		defer up.mu.Unlock()
		return len(up.seen) == 2*many
	})
	if got := pool.Stats(); got.Instances != 1 || got.Waiting != 0 {
		t.Errorf("stats are %+v", got)
	}
	close(release)
	for range list {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	for _, x := range list {
		if x.Req.Fields.Value("a") != "1" || x.Req.Fields.Value("b") != "2" {
			t.Errorf("fields are %v", x.Req.Fields.All())
		}
		exchanges.Put(x)
	}
}

func TestFailureAfterAWaitPutsAllBack(t *testing.T) {
	s := &script{
		hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait},
		request: []step{do("header_set", 0, "a", "1"), do("state_set", "x"), do("respond", 403, "no"), do("fetch_start", "auth", "", "", 0)},
		resume:  []step{do("header_set", 0, "b", "2"), trap},
	}
	pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": answering(200, "ok")})
	x := newExchange()
	_, err := pool.Filter("test", chain.Deny).Request(x, 0)
	if f := failureOf(t, err); f.Export != "on_resume" || f.Cause != Trap {
		t.Errorf("got %v", f)
	}
	if x.Req.Fields.Has("a") || x.Req.Fields.Has("b") || x.Resp.Status != 0 || len(*x.State(0)) != 0 {
		t.Errorf("left behind: %v, status %d, state %q", x.Req.Fields.All(), x.Resp.Status, *x.State(0))
	}
}

func TestRespondAfterAWait(t *testing.T) {
	s := &script{
		hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait}, resumed: abi.ResultRespond,
		request: []step{do("respond", 403, "no"), do("fetch_start", "auth", "", "", 0)},
	}
	pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": answering(200, "ok")})
	x := newExchange()
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil || x.Resp.Status != 403 || string(x.Resp.Body.Held) != "no" {
		t.Errorf("got %v, status %d, %q", err, x.Resp.Status, x.Resp.Body.Held)
	}
}

func TestWaitForNothingIsAFailure(t *testing.T) {
	s := &script{hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait}, request: []step{do("fetch_start", "none", "", "", 0)}}
	pool, _ := newFetchingProbe(t, s, nil)
	_, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0)
	if f := failureOf(t, err); f.Cause != BadResult {
		t.Errorf("got %v", f)
	}
	// Waiting again, with nothing new to wait for, would never end.
	s = &script{
		hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait}, resumed: abi.ResultWait,
		request: []step{do("fetch_start", "auth", "", "", 0)},
	}
	pool, _ = newFetchingProbe(t, s, map[string]Fetcher{"auth": answering(200, "ok")})
	_, err = pool.Filter("test", chain.Deny).Request(newExchange(), 0)
	if f := failureOf(t, err); f.Cause != BadResult {
		t.Errorf("got %v", f)
	}
}

func TestFetchesThatFail(t *testing.T) {
	tests := []struct {
		name  string
		limit int // in milliseconds
		serve func(x *exchange.Exchange, deadline time.Time) *fault.Fault
		want  string
	}{
		{"refused", 0, func(*exchange.Exchange, time.Time) *fault.Fault {
			return fault.New(fault.BadGateway, fault.Upstream, "")
		}, "-7"},
		{"too slow", 0, func(*exchange.Exchange, time.Time) *fault.Fault {
			return fault.New(fault.GatewayTimeout, fault.Upstream, "")
		}, "-6"},
		{"client gone", 0, func(*exchange.Exchange, time.Time) *fault.Fault { return fault.New(fault.ClientGone, fault.Client, "") }, "-9"},
		{"body breaks", 0, func(x *exchange.Exchange, _ time.Time) *fault.Fault {
			x.Resp.Body = exchange.Body{Length: 5, Source: &pieces{Reader: failing{io.ErrUnexpectedEOF}}}
			return nil
		}, "-7"},
		{"body too large", 0, func(x *exchange.Exchange, _ time.Time) *fault.Fault {
			x.Resp.Body = exchange.Body{Length: abi.MaxBody + 1, Source: &pieces{Reader: failing{io.ErrUnexpectedEOF}}}
			return nil
		}, "-7"},
		{"body drips", 20, func(x *exchange.Exchange, deadline time.Time) *fault.Fault {
			x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: &pieces{Reader: dripping{}}}
			return nil
		}, "-6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{hooks: abi.HookRequest, request: []step{do("fetch", "auth", "", "", tt.limit), do("status", 16), do("fetch_result", 16)}}
			pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": &fakeUpstream{serve: tt.serve}})
			if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
				t.Fatal(err)
			}
			compare(t, s.outcomes(pool.idle[0]), []string{tt.want, tt.want, tt.want})
		})
	}
}

// dripping never comes to an end.
type dripping struct{}

func (dripping) Read([]byte) (int, error) { return 0, nil }

func TestFetchesAreBounded(t *testing.T) {
	var steps []step
	var want []string
	for i := range abi.MaxFetches {
		steps = append(steps, do("fetch", "auth", "", "", 0))
		want = append(want, []string{"16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31"}[i])
	}
	steps = append(steps, do("fetch", "auth", "", "", 0))
	s := &script{hooks: abi.HookRequest, request: steps}
	pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": answering(200, "ok")})
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), append(want, "-5"))
}

func TestAbandonedFetches(t *testing.T) {
	release := make(chan struct{})
	gone := make(chan bool, 1)
	up := &fakeUpstream{serve: func(x *exchange.Exchange, _ time.Time) *fault.Fault {
		<-release
		gone <- x.Client.Gone()
		return fault.New(fault.ClientGone, fault.Client, "")
	}}
	s := &script{hooks: abi.HookRequest, request: []step{do("fetch_start", "auth", "", "", 0), do("fetch_result", 16), do("status", 16)}}
	pool, _ := newFetchingProbe(t, s, map[string]Fetcher{"auth": up})
	x := newExchange()
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), []string{"16", "-8", "-8"})
	exchanges.Put(x) // the exchange ends
	close(release)
	if !<-gone {
		t.Error("the fetch does not see that nobody wants it")
	}
}

// A guest that does something lasting each time has still nothing to wait for: it would hold its exchange for ever.
func TestWaitingAgainForNothingLasting(t *testing.T) {
	s := &script{
		hooks: abi.HookRequest, results: [3]int32{0, abi.ResultWait}, resumed: abi.ResultWait,
		request: []step{do("fetch_start", "auth", "", "", 0)}, resume: []step{do("kv_set", "", "key", "value", 0)},
	}
	h, _ := newHost(t)
	grants := newGrants(t)
	grants.Upstreams = map[string]Fetcher{"auth": answering(200, "ok")}
	pool, err := load(t, h, "probe", Limits{MaxInstances: 1}).Configure(s.compile(t), grants)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.Filter("test", chain.Deny).Request(newExchange(), 0)
	if f := failureOf(t, err); f.Cause != BadResult || pool.Stats().Calls != 2 {
		t.Errorf("got %v after %d calls", f, pool.Stats().Calls)
	}
}
