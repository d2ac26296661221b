package sallyport_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// duringIn runs a request hook in a world.
func duringIn(t *testing.T, w *sallyporttest.World, hook func()) {
	t.Helper()
	p := sallyporttest.ConfigureIn(t, w, func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: func(*sallyport.Request) (sallyport.Verdict, error) { hook(); return sallyport.Continue, nil }}, nil
	}, "{}")
	if _, err := p.Request(sallyporttest.NewExchangeIn(w, "GET", "/")); err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestStore(t *testing.T) {
	w := &sallyporttest.World{}
	w.SetValue("sessions", "there", "value")
	duringIn(t, w, func() {
		s := sallyport.KV("sessions")
		get := func(key, want string, wantErr error) {
			t.Helper()
			if got, err := s.Get(key); string(got) != want || err != wantErr {
				t.Errorf("Get(%s) = %q, %v; want %q, %v", key, got, err, want, wantErr)
			}
		}
		get("there", "value", nil)
		get("none", "", sallyport.ErrNotFound)
		long := strings.Repeat("x", 5000)
		wantError(t, "Set", s.Set("long", []byte(long), 0), nil)
		get("long", long, nil)
		wantError(t, "Set of nothing", s.Set("empty", nil, time.Second), nil)
		get("empty", "", nil)
		wantError(t, "Delete", s.Delete("empty"), nil)
		wantError(t, "Delete again", s.Delete("empty"), sallyport.ErrNotFound)
		for i, delta := range []int64{40, 3, -1} {
			if sum, err := s.Add("n", delta, time.Minute); sum != []int64{40, 43, 42}[i] || err != nil {
				t.Errorf("Add(%d) = %d, %v", delta, sum, err)
			}
		}
		get("n", "42", nil)
		_, err := s.Add("there", 1, 0)
		wantError(t, "Add to text", err, sallyport.ErrConflict)
		_, err = s.Add("n", math.MaxInt64, 0)
		wantError(t, "Add more than fits", err, sallyport.ErrConflict)
		wantError(t, "Swap", s.Swap("there", []byte("value"), []byte("next"), 0), nil)
		wantError(t, "Swap again", s.Swap("there", []byte("value"), nil, 0), sallyport.ErrConflict)
		wantError(t, "Insert", s.Insert("new", []byte("1"), 0), nil)
		wantError(t, "Insert again", s.Insert("new", []byte("1"), 0), sallyport.ErrConflict)
		get("there", "next", nil)

		wantError(t, "key too long", s.Set(strings.Repeat("k", 513), nil, 0), sallyport.ErrTooLarge)
		wantError(t, "value too long", s.Set("k", make([]byte, 256<<10+1), 0), sallyport.ErrTooLarge)
		wantError(t, "negative ttl", s.Set("k", nil, -1), sallyport.ErrInvalid)
		wantError(t, "longest ttl", s.Set("k", nil, math.MaxUint32*time.Millisecond), nil)
		wantError(t, "ttl too long", s.Insert("k", nil, math.MaxUint32*time.Millisecond+1), sallyport.ErrTooLarge)
		wantError(t, "its own store", sallyport.KV("").Set("k", nil, 0), sallyport.ErrNotGranted)
	})
	if got, ok := w.Value("sessions", "n"); got != "42" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestStoreForgetsAndFails(t *testing.T) {
	w := &sallyporttest.World{Stores: map[string]*sallyporttest.Store{"": {}, "down": {Fault: -7}, "slow": {Fault: -6}}}
	duringIn(t, w, func() {
		_ = sallyport.KV("").Set("k", []byte("v"), 1) // rounded up to a millisecond
		_, err := sallyport.KV("down").Get("k")
		wantError(t, "down", err, sallyport.ErrUnavailable)
		wantError(t, "slow", sallyport.KV("slow").Set("k", nil, 0), sallyport.ErrTimedOut)
	})
	if got, _ := w.Value("", "k"); got != "v" {
		t.Errorf("got %q", got)
	}
	w.Pass(time.Millisecond)
	if got, ok := w.Value("", "k"); ok {
		t.Errorf("got %q after its time", got)
	}
}

func TestSecret(t *testing.T) {
	w := &sallyporttest.World{Secrets: map[string]string{"hmac": strings.Repeat("hush", 1000)}}
	var atStart string
	p := sallyporttest.ConfigureIn(t, w, func([]byte) (hooks sallyport.Hooks, err error) {
		atStart, err = sallyport.Secret("hmac")
		return hooks, err
	}, "{}")
	if p == nil || atStart != w.Secrets["hmac"] {
		t.Errorf("got %q", atStart)
	}
	duringIn(t, w, func() {
		_, err := sallyport.Secret("other")
		wantError(t, "another", err, sallyport.ErrNotGranted)
	})
	duringIn(t, nil, func() {
		_, err := sallyport.Secret("hmac")
		wantError(t, "without a world", err, sallyport.ErrNotGranted)
	})
}

func TestTake(t *testing.T) {
	w := &sallyporttest.World{Limits: map[string]int64{"login": 3}}
	take := func(limit, key string, n uint32, wantWait bool, wantErr error) {
		t.Helper()
		if wait, err := sallyport.Take(limit, key, n); wait > 0 != wantWait || err != wantErr {
			t.Errorf("Take(%s, %s, %d) = %v, %v", limit, key, n, wait, err)
		}
	}
	duringIn(t, w, func() {
		take("login", "jo", 2, false, nil)
		take("login", "jo", 2, true, nil)
		take("login", "ann", 3, false, nil)
		take("login", "jo", 4, false, sallyport.ErrTooLarge)
		take("login", "jo", 0, false, sallyport.ErrInvalid)
		take("other", "jo", 1, false, sallyport.ErrNotGranted)
	})
	w.Pass(time.Minute)
	duringIn(t, w, func() { take("login", "jo", 3, false, nil) })
}

func TestMetrics(t *testing.T) {
	w := &sallyporttest.World{}
	duringIn(t, w, func() {
		requests := sallyport.NewCounter("requests", sallyport.Label{"method", "GET"}, sallyport.Label{"code", "2\"0"})
		same := sallyport.NewCounter("requests", sallyport.Label{"code", "2\"0"}, sallyport.Label{"method", "GET"})
		wantError(t, "Add", requests.Add(2), nil)
		wantError(t, "Add to the same", same.Add(1), nil)
		wantError(t, "Add less than nothing", requests.Add(-1), sallyport.ErrInvalid)
		seconds := sallyport.NewHistogram("seconds")
		wantError(t, "Observe", seconds.Observe(0.5), nil)
		wantError(t, "Observe infinity", seconds.Observe(math.Inf(1)), sallyport.ErrInvalid)
		wantError(t, "counting a histogram", sallyport.NewCounter("seconds").Add(1), sallyport.ErrConflict)
		wantError(t, "observing a counter", sallyport.NewHistogram("requests").Observe(1), sallyport.ErrConflict)
		wantError(t, "bad name", sallyport.NewCounter("a-b").Add(1), sallyport.ErrInvalid)
		wantError(t, "bad label", sallyport.NewCounter("a", sallyport.Label{"le", ""}).Add(1), sallyport.ErrInvalid)
		wantError(t, "label twice", sallyport.NewCounter("a", sallyport.Label{"b", ""}, sallyport.Label{"b", "1"}).Add(1), sallyport.ErrInvalid)
		wantError(t, "too many labels", sallyport.NewCounter("a", make([]sallyport.Label, 17)...).Add(1), sallyport.ErrTooLarge)
	})
	if want := map[string]int64{`requests{code="2\"0",method="GET"}`: 3}; !reflect.DeepEqual(w.Counters, want) {
		t.Errorf("counters: got %v, want %v", w.Counters, want)
	}
	if want := map[string][]float64{"seconds": {0.5}}; !reflect.DeepEqual(w.Observed, want) {
		t.Errorf("observed: got %v, want %v", w.Observed, want)
	}
	duringIn(t, nil, func() { wantError(t, "without a world", sallyport.NewCounter("a").Add(1), nil) })
}

// While a plugin is configured there is no exchange, and so nothing but secrets.
func TestGrantedWhileConfigured(t *testing.T) {
	w := &sallyporttest.World{Limits: map[string]int64{"login": 3}}
	w.SetValue("", "k", "v")
	sallyporttest.ConfigureIn(t, w, func([]byte) (hooks sallyport.Hooks, err error) {
		_, err = sallyport.KV("").Get("k")
		wantError(t, "Get", err, sallyport.ErrWrongPhase)
		wantError(t, "Set", sallyport.KV("").Set("k", make([]byte, 256<<10+1), 0), sallyport.ErrWrongPhase)
		_, err = sallyport.Take("login", "jo", 1)
		wantError(t, "Take", err, sallyport.ErrWrongPhase)
		wantError(t, "Add", sallyport.NewCounter("a").Add(1), sallyport.ErrWrongPhase)
		return hooks, nil
	}, "{}")
}

func TestWorldClock(t *testing.T) {
	w := &sallyporttest.World{}
	w.Pass(1000 * time.Hour)
	duringIn(t, w, func() {
		if ahead := time.Until(time.Unix(0, sallyport.Now())); ahead < 999*time.Hour {
			t.Errorf("the clock is %v ahead", ahead)
		}
	})
}

// Grants are named as in gateway.toml, while the plugin is configured and later.
func TestGranted(t *testing.T) {
	w := &sallyporttest.World{Secrets: map[string]string{"hmac": "hush"}, Limits: map[string]int64{"login": 5}}
	w.SetValue("", "own", "store")
	w.SetValue("sessions", "a", "b")
	ask := func() {
		t.Helper()
		for grant, want := range map[string]bool{
			"kv": true, "kv:sessions": true, "kv:other": false, "kv:": false, "secret:hmac": true, "secret:other": false, "secret": false, "limit:login": true, "limit": false,
			"jwt:staff": false, "fetch:auth": false, "passwords:staff": false, "schema:order": false, "root:all": false, "": false, strings.Repeat("k", 257): false,
		} {
			if got := sallyport.Granted(grant); got != want {
				t.Errorf("%s: got %v, want %v", grant, got, want)
			}
		}
	}
	p := sallyporttest.ConfigureIn(t, w, func([]byte) (sallyport.Hooks, error) {
		ask()
		return sallyport.Hooks{Request: func(*sallyport.Request) (sallyport.Verdict, error) { ask(); return sallyport.Continue, nil }}, nil
	}, "{}")
	if _, err := p.Request(sallyporttest.NewExchangeIn(w, "GET", "/")); err != nil {
		t.Fatal(err)
	}
}
