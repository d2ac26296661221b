package plugin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/store"
)

// broken is a store, and a limit, that cannot be reached.
type broken struct{ err error }

func (b broken) Get(string) (string, bool, error)                               { return "", false, b.err }
func (b broken) Set(string, string, time.Duration) error                        { return b.err }
func (b broken) Delete(string) (bool, error)                                    { return false, b.err }
func (b broken) Add(string, int64, time.Duration) (int64, bool, error)          { return 0, false, b.err }
func (b broken) Swap(string, string, bool, string, time.Duration) (bool, error) { return false, b.err }
func (b broken) Burst() int64                                                   { return 10 }
func (b broken) Take(string, int64) (time.Duration, error)                      { return 0, b.err }

// tenOf is a limit of ten units, which come back after 1.5 ms.
type tenOf struct{ taken int64 }

func (l *tenOf) Burst() int64 { return 10 }

func (l *tenOf) Take(_ string, n int64) (time.Duration, error) {
	if l.taken+n > 10 {
		return 1500 * time.Microsecond, nil
	}
	l.taken += n
	return 0, nil
}

// newGrants returns grants of every kind, with stores and a limit that nobody has used.
func newGrants(t testing.TB) Grants {
	t.Helper()
	memory := func() *store.Memory {
		m, err := store.NewMemory(store.Options{Entries: 100, Bytes: store.MinBytes})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	down, slow := broken{errors.New("down")}, broken{fmt.Errorf("asking: %w", os.ErrDeadlineExceeded)}
	return Grants{
		Stores: map[string]Store{"": memory(), "shared": memory(), "down": down, "slow": slow},
		Limits: map[string]Limiter{"login": &tenOf{}, "down": down, "slow": slow},
		Secret: func(name string) (string, bool) { return "hush", name == "hmac" },
		Hidden: []string{"Authorization", "x-api-key"},
	}
}

// newProbeWith returns a pool of one probe that runs the script with grants.
func newProbeWith(t testing.TB, s *script, g Grants) *Pool {
	t.Helper()
	h, _ := newHost(t)
	pool, err := load(t, h, "probe", Limits{MaxInstances: 1, WaitTimeout: time.Minute}).Configure(s.compile(t), g)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// callCase is a host call and what it must answer.
type callCase struct {
	name string
	step step
	want string
}

// runCases runs the calls in one request hook, in order.
func runCases(t *testing.T, g Grants, cases []callCase) {
	t.Helper()
	s := script{hooks: abi.HookRequest}
	for _, c := range cases {
		s.request = append(s.request, c.step)
	}
	pool := newProbeWith(t, &s, g)
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for i, outcome := range s.outcomes(pool.idle[0]) {
		got = append(got, cases[i].name+": "+outcome)
		want = append(want, cases[i].name+": "+cases[i].want)
	}
	compare(t, got, want)
}

// noOld are the arguments of kv_swap for "if there is none".
const noOld = -1

func TestKV(t *testing.T) {
	n := func(n int) string { return strings.Repeat("k", n) }
	runCases(t, newGrants(t), []callCase{
		{"get nothing", do("kv_get", "", "a", buf(8)), "-1"},
		{"set", do("kv_set", "", "a", "value", 0), "0"},
		{"get", do("kv_get", "", "a", buf(8)), "5 value"},
		{"get into too little", do("kv_get", "", "a", buf(4)), "5"},
		{"the stores are different ones", do("kv_get", "shared", "a", buf(8)), "-1"},
		{"add to text", do("kv_add", "", "a", int64(1), 0, pointer{}), "-8 0"},
		{"add to nothing", do("kv_add", "shared", "n", int64(40), 1000, pointer{}), "0 40"},
		{"add", do("kv_add", "shared", "n", int64(2), 0, pointer{}), "0 42"},
		{"subtract", do("kv_add", "shared", "n", int64(-50), 0, pointer{}), "0 -8"},
		{"add more than fits", do("kv_add", "shared", "n", int64(math.MinInt64), 0, pointer{}), "-8 0"},
		{"get a number", do("kv_get", "shared", "n", buf(8)), "2 -8"},
		{"swap with the wrong old value", do("kv_swap", "", "a", "other", "new", 0), "-8"},
		{"swap", do("kv_swap", "", "a", "value", "", 0), "0"},
		{"get an empty value", do("kv_get", "", "a", buf(8)), "0 "},
		{"swap an empty value", do("kv_swap", "", "a", "", "new", 0), "0"},
		{"swap nothing where something is", do("kv_swap", "", "a", 0, noOld, "new", 0), "-8"},
		{"swap nothing, its pointer not looked at", do("kv_swap", "", "b", noOld, noOld, "new", 5000), "0"},
		{"delete", do("kv_delete", "", "b"), "0"},
		{"delete again", do("kv_delete", "", "b"), "-1"},
		{"empty key", do("kv_set", "", "", "x", 0), "0"},

		{"largest key", do("kv_set", "", n(512), "x", 0), "0"},
		{"key too long: get", do("kv_get", "", n(513), buf(8)), "-5"},
		{"key too long: set", do("kv_set", "", n(513), "x", 0), "-5"},
		{"key too long: add", do("kv_add", "", n(513), int64(1), 0, pointer{}), "-5 0"},
		{"key too long: delete", do("kv_delete", "", n(513)), "-5"},
		{"key too long: swap", do("kv_swap", "", n(513), "", "", 0), "-5"},
		{"store name too long", do("kv_get", n(257), "a", buf(8)), "-5"},
		{"store not granted, name as long as can be", do("kv_get", n(256), "a", buf(8)), "-3"},

		{"not granted: get", do("kv_get", "other", "a", buf(8)), "-3"},
		{"not granted: set", do("kv_set", "other", "a", "x", 0), "-3"},
		{"not granted: add", do("kv_add", "other", "a", int64(1), 0, pointer{}), "-3 0"},
		{"not granted: delete", do("kv_delete", "other", "a"), "-3"},
		{"not granted: swap", do("kv_swap", "other", "a", "", "", 0), "-3"},
		{"size before grant", do("kv_get", "other", n(513), buf(8)), "-5"},

		{"unavailable: get", do("kv_get", "down", "a", buf(8)), "-7"},
		{"unavailable: set", do("kv_set", "down", "a", "x", 0), "-7"},
		{"unavailable: add", do("kv_add", "down", "a", int64(1), 0, pointer{}), "-7 0"},
		{"unavailable: delete", do("kv_delete", "down", "a"), "-7"},
		{"unavailable: swap", do("kv_swap", "down", "a", "", "", 0), "-7"},
		{"too slow: get", do("kv_get", "slow", "a", buf(8)), "-6"},
		{"too slow: set", do("kv_set", "slow", "a", "x", 0), "-6"},
	})
}

// The largest values are larger than a script: they are regions of the guest's memory.
func TestStoredValueLimits(t *testing.T) {
	g := newGrants(t)
	value := strings.Repeat("v", abi.MaxStored)
	for _, tt := range []struct {
		name string
		do   func(h *hookCall, value string) abi.Code
	}{
		{"set", func(h *hookCall, value string) abi.Code { return h.kvSet("", "k", value, 0) }},
		{"swap", func(h *hookCall, value string) abi.Code {
			return h.kvSwap("", "k", value[:abi.MaxStored], true, value, 0)
		}},
	} {
		h := &hookCall{grants: &g}
		if code := tt.do(h, value+"v"); code != abi.TooLarge || h.lasting {
			t.Errorf("%s of one byte too many: %v", tt.name, code)
		}
		if code := tt.do(h, value); code != ok || !h.lasting {
			t.Errorf("%s of as much as may be: %v", tt.name, code)
		}
		if code := (&hookCall{grants: &Grants{}}).kvSwap("", "k", value+"v", true, "", 0); code != abi.TooLarge {
			t.Errorf("an old value too large: %v", code)
		}
	}
}

func TestValuesExpire(t *testing.T) {
	var ttl time.Duration
	g := Grants{Stores: map[string]Store{"": spyStore{broken{}, &ttl}}}
	runCases(t, g, []callCase{{"set", do("kv_set", "", "a", "b", -1), "0"}})
	if want := math.MaxUint32 * time.Millisecond; ttl != want {
		t.Errorf("got %v, want %v", ttl, want)
	}
}

// spyStore tells the time that a value was to be kept for.
type spyStore struct {
	broken
	ttl *time.Duration
}

func (s spyStore) Set(_, _ string, ttl time.Duration) error {
	*s.ttl = ttl
	return nil
}

func TestRateTake(t *testing.T) {
	n := func(n int) string { return strings.Repeat("k", n) }
	runCases(t, newGrants(t), []callCase{
		{"take", do("rate_take", "login", "jo", 7), "0"},
		{"take none", do("rate_take", "login", "jo", 0), "-2"},
		{"more than there is, rounded up", do("rate_take", "login", "jo", 4), "2"},
		{"the rest", do("rate_take", "login", "", 3), "0"},
		{"more than there ever is", do("rate_take", "login", "jo", 11), "-5"},
		{"most of all", do("rate_take", "login", "jo", -1), "-5"},
		{"largest key", do("rate_take", "login", n(512), 1), "2"},
		{"key too long", do("rate_take", "login", n(513), 1), "-5"},
		{"name too long", do("rate_take", n(257), "jo", 1), "-5"},
		{"not granted", do("rate_take", "other", "jo", 1), "-3"},
		{"not granted before arguments", do("rate_take", "other", "jo", 0), "-3"},
		{"size before grant", do("rate_take", "other", n(513), 1), "-5"},
		{"unavailable", do("rate_take", "down", "jo", 1), "-7"},
		{"too slow", do("rate_take", "slow", "jo", 1), "-6"},
	})
}

func TestSecret(t *testing.T) {
	n := func(n int) string { return strings.Repeat("k", n) }
	runCases(t, newGrants(t), []callCase{
		{"secret", do("secret", "hmac", buf(8)), "4 hush"},
		{"into too little", do("secret", "hmac", buf(3)), "4"},
		{"not granted", do("secret", "other", buf(8)), "-3"},
		{"no name", do("secret", "", buf(8)), "-3"},
		{"name too long", do("secret", n(257), buf(8)), "-5"},
	})
}

// A plugin may ask for any grant as gateway.toml writes it, before it needs it.
func TestGranted(t *testing.T) {
	g := newGrants(t)
	var calls []step
	var want []string
	for _, c := range []struct{ grant, want string }{
		{"kv", "1"}, {"kv:shared", "1"}, {"kv:other", "0"}, {"kv:", "0"}, {"limit:login", "1"}, {"limit:other", "0"}, {"limit", "0"}, {"secret:hmac", "1"},
		{"secret:other", "0"}, {"secret", "0"}, {"jwt:staff", "0"}, {"fetch:auth", "0"}, {"schema:order", "0"}, {"passwords:staff", "0"}, {"", "0"}, {":", "0"},
		{"root:all", "0"}, {strings.Repeat("k", 257), "-5"},
	} {
		calls, want = append(calls, do("granted", c.grant)), append(want, c.want)
	}
	s := script{hooks: abi.HookRequest, configure: calls, request: calls}
	pool := newProbeWith(t, &s, g)
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	compare(t, s.outcomes(pool.idle[0]), append(want, want...))
}

// Without any grant every call is refused, in hooks that may make it.
func TestNothingIsGrantedByDefault(t *testing.T) {
	runCases(t, Grants{}, []callCase{
		{"get", do("kv_get", "", "a", buf(8)), "-3"},
		{"set", do("kv_set", "", "a", "x", 0), "-3"},
		{"take", do("rate_take", "login", "a", 1), "-3"},
		{"secret", do("secret", "hmac", buf(8)), "-3"},
		{"metrics need none", do("metric_add", "m", "", int64(1)), "0"},
	})
}

func TestGrantedFunctionsInOtherPhases(t *testing.T) {
	calls := []step{
		do("kv_get", "", "a", buf(8)), do("kv_set", "", "a", "x", 0), do("kv_add", "", "n", int64(1), 0, pointer{}),
		do("kv_delete", "", "a"), do("kv_swap", "", "b", "", "x", 0), do("rate_take", "login", "a", 1), do("secret", "hmac", buf(8)),
		do("metric_add", "m", "", int64(1)), do("metric_observe", "h", "", 1.5),
	}
	s := script{hooks: abi.HookResponse | abi.HookEnd, configure: calls, response: calls, end: calls}
	pool := newProbeWith(t, &s, newGrants(t))
	filter, x := pool.Filter("test", chain.Deny), newExchange()
	if err := filter.Response(x, 0); err != nil {
		t.Fatal(err)
	}
	filter.(chain.Ender).End(x, 0)
	got := s.outcomes(pool.idle[0])
	compare(t, got[:9], []string{"-4", "-4", "-4 0", "-4", "-4", "-4", "4 hush", "-4", "-4"})
	compare(t, got[9:18], []string{"-1", "0", "0 1", "0", "-8", "0", "4 hush", "0", "0"})
	compare(t, got[18:], []string{"-1", "0", "0 2", "0", "-8", "-4", "4 hush", "0", "0"})
}

// Pointers that lead outside trap, wherever they stand among the arguments, granted or not.
func TestLyingPointersOfGrantedFunctions(t *testing.T) {
	const outside = probeMemory - 4
	for _, tt := range []step{
		do("kv_get", outside, 5, "a", buf(8)), do("kv_get", "", outside, 5, buf(8)), do("kv_get", "", "a", outside, 5),
		do("kv_get", "", "a", -1, -1),
		do("kv_set", outside, 5, "a", "b", 0), do("kv_set", "", outside, 5, "b", 0), do("kv_set", "", "a", outside, 5, 0),
		do("kv_set", "", "a", 0, -1, 0),
		do("kv_add", outside, 5, "a", int64(1), 0, pointer{}), do("kv_add", "", outside, 5, int64(1), 0, pointer{}),
		do("kv_add", "", "a", int64(1), 0, probeMemory-7), do("kv_add", "", "a", int64(1), 0, -8),
		do("kv_delete", outside, 5, "a"), do("kv_delete", "", outside, 5),
		do("kv_swap", outside, 5, "a", "", "", 0), do("kv_swap", "", outside, 5, "", "", 0),
		do("kv_swap", "", "a", outside, 5, "", 0), do("kv_swap", "", "a", "", outside, 5, 0), do("kv_swap", "", "a", 1, -2, "", 0),
		do("rate_take", outside, 5, "a", 1), do("rate_take", "login", outside, 5, 1),
		do("secret", outside, 5, buf(8)), do("secret", "hmac", outside, 5),
		do("metric_add", outside, 5, "", int64(1)), do("metric_add", "m", outside, 5, int64(1)),
		do("metric_observe", outside, 5, "", 1.0), do("metric_observe", "m", outside, 5, 1.0),
	} {
		for _, g := range []Grants{{}, newGrants(t)} {
			s := script{hooks: abi.HookRequest, request: []step{tt}}
			pool := newProbeWith(t, &s, g)
			_, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0)
			if got := failureOf(t, err); got.Cause != Trap || !strings.Contains(got.Error(), "outside the memory") {
				t.Errorf("%v: got %v", tt, got)
			}
		}
	}
}

func TestHiddenHeaders(t *testing.T) {
	x := newExchange()
	x.Req.Fields.Add("authorization", "Bearer hush")
	x.Resp.Fields.Add("X-Api-Key", "hush")
	s := script{hooks: abi.HookRequest, results: [3]int32{0, 1}, request: []step{
		do("header_get", 0, "Authorization", buf(16)), do("header_get", 0, "X-API-Key", buf(16)), do("header_get", 1, "x-api-key", buf(16)),
		do("header_get", 0, "accept", buf(16)),
		do("header_set", 0, "authorization", "mine"), do("header_add", 0, "AUTHORIZATION", "mine"), do("header_remove", 0, "x-api-key"),
		do("header_set", 1, "x-api-key", "mine"), do("header_all", 0, "authorization", buf(64)), do("header_all", 1, "", buf(64)),
		do("header_set", 0, "x-api-keys", "1"), do("respond", 200, ""),
	}}
	pool := newProbeWith(t, &s, newGrants(t))
	before := append([]header.Field(nil), x.Req.Fields.All()...)
	if _, err := pool.Filter("test", chain.Deny).Request(x, 0); err != nil {
		t.Fatal(err)
	}
	empty := "4 " + fieldList()
	compare(t, s.outcomes(pool.idle[0]), []string{
		"-1", "-1", "-1", "10 text/plain", "-2", "-2", "-2", "-2", empty, empty, "0", "0",
	})
	compare(t, x.Req.Fields.All(), append(before, header.Field{Name: "x-api-keys", Value: "1"}))
}

func TestNeeds(t *testing.T) {
	h, _ := newHost(t)
	kv := []string{"kv_get", "kv_set", "kv_add", "kv_delete", "kv_swap"}
	compare(t, load(t, h, "probe", Limits{}).Needs(), []Need{
		{"fetch", []string{"fetch_start", "fetch", "fetch_result"}}, {"kv", kv}, {"jwt", []string{"jwt_verify"}}, {"limit", []string{"rate_take"}}, {"secret", []string{"secret"}}, {"passwords", []string{"password_check"}},
	})
	if got := load(t, h, "bare", Limits{}).Needs(); got != nil {
		t.Errorf("got %v of a module without imports", got)
	}
}

// What cannot be undone must not be done twice: the hook is not tried again.
func TestNoRetryAfterWhatLasts(t *testing.T) {
	tests := []struct {
		name  string
		step  step
		retry int64
	}{
		{"get", do("kv_get", "", "a", buf(8)), 1},
		{"set", do("kv_set", "", "a", "b", 0), 0},
		{"set that was refused", do("kv_set", "other", "a", "b", 0), 1},
		{"set without an answer", do("kv_set", "slow", "a", "b", 0), 0},
		{"add", do("kv_add", "", "n", int64(1), 0, pointer{}), 0},
		{"add without an answer", do("kv_add", "down", "n", int64(1), 0, pointer{}), 0},
		{"delete nothing", do("kv_delete", "", "a"), 1},
		{"delete", do("kv_delete", "", "there"), 0},
		{"swap in vain", do("kv_swap", "", "there", "other", "x", 0), 1},
		{"swap", do("kv_swap", "", "there", "1", "x", 0), 0},
		{"take", do("rate_take", "login", "a", 1), 0},
		{"take in vain", do("rate_take", "login", "a", 11), 1},
		{"secret", do("secret", "hmac", buf(8)), 1},
		{"metric", do("metric_add", "m", "", int64(1)), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGrants(t)
			if err := g.Stores[""].Set("there", "1", 0); err != nil {
				t.Fatal(err)
			}
			s := script{hooks: abi.HookRequest, request: []step{tt.step, trap}}
			pool := newProbeWith(t, &s, g)
			pool.idle[0].uses = 1
			if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err == nil {
				t.Fatal("no failure")
			}
			if got := pool.Stats().Retried; got != tt.retry {
				t.Errorf("retried %d times, want %d", got, tt.retry)
			}
		})
	}
}

// What lasted in one hook does not keep the next from being tried again.
func TestLastingIsForgotten(t *testing.T) {
	s := script{hooks: abi.HookRequest | abi.HookResponse, request: []step{do("kv_set", "", "a", "b", 0)}, response: []step{trap}}
	pool := newProbeWith(t, &s, newGrants(t))
	filter, x := pool.Filter("test", chain.Deny), newExchange()
	if _, err := filter.Request(x, 0); err != nil {
		t.Fatal(err)
	}
	if err := filter.Response(x, 0); err == nil {
		t.Fatal("no failure")
	}
	if got := pool.Stats().Retried; got != 1 {
		t.Errorf("retried %d times, want once", got)
	}
}

func TestDecodeList(t *testing.T) {
	number := func(n ...uint32) (list string) {
		for _, n := range n {
			list += string(binary.LittleEndian.AppendUint32(nil, n))
		}
		return list
	}
	tests := []struct {
		name, list string
		want       string
		code       abi.Code
	}{
		{"nothing", "", "", ok},
		{"none", number(0), "", ok},
		{"two", number(2, 1, 2, 0, 3) + "abbccc", "a=bb =ccc ", ok},
		{"no whole count", "\x00\x00\x00", "", abi.Invalid},
		{"count without lengths", number(1), "", abi.Invalid},
		{"huge count", number(0xffffffff), "", abi.Invalid},
		{"half the lengths", number(2, 1, 1, 1), "", abi.Invalid},
		{"text too short", number(1, 1, 2) + "ab", "", abi.Invalid},
		{"text too long", number(1, 1, 1) + "abc", "", abi.Invalid},
		{"huge lengths", number(1, 0xffffffff, 0xffffffff) + "ab", "", abi.Invalid},
		{"lengths that wrap around", number(1, 0xffffffff, 3) + "ab", "", abi.Invalid},
		{"more than there is room for", number(3, 0, 0, 0, 0, 0, 0), "", abi.TooLarge},
	}
	for _, tt := range tests {
		got := ""
		list, code := decodeList(tt.list, make([]header.Field, 0, 2))
		for _, f := range list {
			got += f.Name + "=" + f.Value + " "
		}
		if got != tt.want || code != tt.code {
			t.Errorf("%s: got %q, %d; want %q, %d", tt.name, got, code, tt.want, tt.code)
		}
	}
}

// far is a store that others are waited for, with something to do meanwhile.
type far struct {
	Store
	meanwhile func()
}

func (far) Waits() {}

func (f far) Get(key string) (string, bool, error) {
	f.meanwhile()
	return f.Store.Get(key)
}

// How many instances may wait for a store at once is bounded; one too many gets an error at once, for what waits and for nothing else.
func TestWaitingForAStoreIsBounded(t *testing.T) {
	s := script{hooks: abi.HookRequest, request: []step{do("kv_get", "far", "a", buf(8)), do("kv_get", "", "a", buf(8)), do("rate_take", "login", "a", 1)}}
	var pool *Pool
	var second []string
	g := newGrants(t)
	g.Stores["far"] = far{g.Stores["shared"], func() {
		if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
			t.Error(err)
		}
		second = s.outcomes(pool.idle[0])
	}}
	h, _ := newHost(t)
	pool, err := load(t, h, "probe", Limits{MaxInstances: 2, MaxWaiting: 1}).Configure(s.compile(t), g)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(second, " "), "-7 -1 0"; got != want {
		t.Errorf("while another waits: got %s, want %s", got, want)
	}
	if got := pool.plugin.fleet.blocked; got != 0 {
		t.Errorf("%d are still counted as waiting", got)
	}
}
