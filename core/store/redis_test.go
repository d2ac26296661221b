package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/redis"
	"github.com/sallyport/sallyport/core/limit"
)

// patient is a timeout for tests that are not about it.
const patient = 30 * time.Second

func connect(t testing.TB, s *redis.Server, change func(*RedisOptions)) *Redis {
	t.Helper()
	o := RedisOptions{Addresses: []string{s.Addr}, Prefix: "test:", Timeout: patient, Keep: time.Hour}
	if change != nil {
		change(&o)
	}
	r := NewRedis(o)
	t.Cleanup(r.Close)
	return r
}

func takeOne(t testing.TB, r *Redis, a limit.Ask) limit.Decision {
	t.Helper()
	var answers [1]limit.Decision
	if err := r.Take("", []limit.Ask{a}, answers[:]); err != nil {
		t.Fatal(err)
	}
	return answers[0]
}

// policies allow 100 at once, and no more for longer than the tests take.
func policies() []limit.Policy {
	return []limit.Policy{
		{Algorithm: limit.GCRA, Count: 100, Per: 24 * time.Hour, Burst: 100},
		{Algorithm: limit.SlidingWindow, Count: 100, Per: 24 * time.Hour},
		{Algorithm: limit.Quota, Count: 100, Per: 24 * time.Hour},
		{Algorithm: limit.Quota, Count: 100, Per: limit.Month},
	}
}

// Many clients of two gateways: exactly what the policy allows is taken.
func TestTakeIsAtomic(t *testing.T) {
	server := redis.New(t)
	gateways := []*Redis{connect(t, server, nil), connect(t, server, nil)}
	for i, p := range policies() {
		ask := limit.Ask{Policy: p, Limit: fmt.Sprint("l", i), Key: "k", N: 1}
		var allowed atomic.Int64
		var wait sync.WaitGroup
		for w := range 32 {
			wait.Go(func() {
				for range 10 {
					var answers [1]limit.Decision
					if err := gateways[w%2].Take("", []limit.Ask{ask}, answers[:]); err != nil {
						t.Error(err)
						return
					}
					if answers[0].Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		wait.Wait()
		if got := allowed.Load(); got != 100 {
			t.Errorf("%v: %d allowed, want 100", p, got)
		}
	}
}

// The script decides as the algorithms in memory do.
func TestScriptAgreesWithMemory(t *testing.T) {
	r := connect(t, redis.New(t), nil)
	for i, p := range policies() {
		local, err := limit.New(p, 100)
		if err != nil {
			t.Fatal(err)
		}
		for step, n := range []int64{1, 60, 40, 39, 1, 101} {
			want := local.Take(7, local.At(time.Now()), n)
			got := takeOne(t, r, limit.Ask{Policy: p, Limit: fmt.Sprint(i), Key: "k", N: n})
			if got.Allowed != want.Allowed || got.Remaining != want.Remaining || n <= 100 && !(near(got.Reset, want.Reset) && near(got.RetryAfter, want.RetryAfter)) {
				t.Errorf("%v, step %d:\ngot  %+v\nwant %+v", p, step, got, want)
			}
		}
	}
}

// near allows for the time between two questions.
func near(a, b time.Duration) bool { return (a - b).Abs() < 10*time.Second }

// If one denies, nothing is taken from the others; a dry one denies nobody.
func TestTakeTogether(t *testing.T) {
	r := connect(t, redis.New(t), nil)
	few := limit.Policy{Algorithm: limit.Quota, Count: 2, Per: limit.Month}
	many := policies()[0]
	asks := []limit.Ask{{Policy: many, Limit: "many", Key: "k", N: 1}, {Policy: few, Limit: "few", Key: "k", N: 1}}
	answers := make([]limit.Decision, 2)
	for i, want := range []bool{true, true, false, false} {
		if err := r.Take("g", asks, answers); err != nil {
			t.Fatal(err)
		}
		if !answers[0].Allowed || answers[1].Allowed != want || answers[0].Remaining != []int64{99, 98, 98, 98}[i] {
			t.Errorf("request %d: got %+v", i, answers)
		}
	}
	asks[1].Dry = true
	if err := r.Take("g", asks, answers); err != nil || answers[0].Remaining != 97 || answers[1].Allowed {
		t.Errorf("dry: got %+v, %v", answers, err)
	}
}

func TestEveryKeyHasAnEnd(t *testing.T) {
	server := redis.New(t)
	r := connect(t, server, nil)
	for i, p := range policies() {
		takeOne(t, r, limit.Ask{Policy: p, Limit: fmt.Sprint(i), Key: "k", N: 1})
	}
	v := r.Values("n")
	must(t, v.Set("good", "x", 0))
	must(t, v.Set("short", "x", time.Minute))
	_, _, err := v.Add("count", 1, 0)
	must(t, err)
	_, err = v.Swap("swapped", "", false, "x", 0)
	must(t, err)
	keys := server.Do("KEYS", "*")
	if len(keys) != 8 {
		t.Errorf("%d keys: %v", len(keys), keys)
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, "test:") {
			t.Errorf("%s lacks the prefix", key)
		}
		left, err := strconv.Atoi(strings.TrimPrefix(server.Do("PTTL", key)[0], ":"))
		if err != nil || left <= 0 {
			t.Errorf("%s ends in %d ms, %v", key, left, err)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A Redis that has forgotten the scripts, as after a restart or a fail-over, is told them anew.
func TestForgottenScripts(t *testing.T) {
	server := redis.New(t)
	r := connect(t, server, nil)
	ask := limit.Ask{Policy: policies()[0], Limit: "l", Key: "k", N: 1}
	takeOne(t, r, ask)
	server.Do("SCRIPT", "FLUSH")
	if d := takeOne(t, r, ask); d.Remaining != 98 {
		t.Errorf("got %+v", d)
	}
	server.Do("SCRIPT", "FLUSH")
	if _, err := r.Book([]limit.Ask{ask, ask}); err != nil {
		t.Error(err)
	}
	if d := takeOne(t, r, ask); d.Remaining != 95 {
		t.Errorf("after booking two: got %+v", d)
	}
}

// What is booked is taken whatever there is, and told.
func TestBook(t *testing.T) {
	r := connect(t, redis.New(t), nil)
	for i, p := range policies() {
		ask := limit.Ask{Policy: p, Limit: fmt.Sprint(i), Key: "k", N: 150}
		known, err := r.Book([]limit.Ask{ask})
		must(t, err)
		if p.Algorithm == limit.GCRA {
			if got, want := known[0].Ahead, 36*time.Hour; !near(got, want) {
				t.Errorf("%v: ahead by %v, want %v", p, got, want)
			}
		} else if known[0].Current != 150 || known[0].Window == 0 {
			t.Errorf("%v: got %+v", p, known)
		}
		ask.N = 1
		if d := takeOne(t, r, ask); d.Allowed || d.Remaining != 0 {
			t.Errorf("%v: got %+v", p, d)
		}
	}
}

func TestValues(t *testing.T) {
	r := connect(t, redis.New(t), nil)
	v, other := r.Values("a"), r.Values("b")
	must(t, v.Set("k", "v", time.Minute))
	if got, found, err := v.Get("k"); got != "v" || !found || err != nil {
		t.Errorf("got %q, %v, %v", got, found, err)
	}
	if _, found, err := other.Get("k"); found || err != nil {
		t.Errorf("another name has it: %v, %v", found, err)
	}
	if _, ok, err := v.Add("k", 1, 0); ok || err != nil {
		t.Errorf("added to a text: %v, %v", ok, err)
	}
	const large = int64(1)<<62 + 1
	for i, want := range []int64{large, large - 3} {
		if sum, ok, err := v.Add("n", []int64{large, -3}[i], time.Hour); sum != want || !ok || err != nil {
			t.Errorf("got %d, %v, %v; want %d", sum, ok, err, want)
		}
	}
	if _, ok, err := v.Add("n", large+3, 0); ok || err != nil {
		t.Errorf("a sum that does not fit: %v, %v", ok, err)
	}
	if found, err := v.Delete("n"); !found || err != nil {
		t.Errorf("deleted: %v, %v", found, err)
	}
	if found, err := v.Delete("n"); found || err != nil {
		t.Errorf("deleted again: %v, %v", found, err)
	}
	for i, step := range []struct {
		old   string
		there bool
		want  bool
	}{{"x", true, false}, {"", false, true}, {"", false, false}, {"y", true, false}, {"next", true, true}} {
		if got, err := v.Swap("s", step.old, step.there, "next", 0); got != step.want || err != nil {
			t.Errorf("swap %d: got %v, %v", i, got, err)
		}
	}
}

// Nothing is connected before it is needed; a Redis that is not there costs some quick failures, then nothing, and is found when it comes.
func TestDownAtStart(t *testing.T) {
	server := redis.New(t)
	server.Kill()
	var mu sync.Mutex
	var told []string
	r := connect(t, server, func(o *RedisOptions) {
		o.Changed = func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(err == nil))
		}
	})
	v := r.Values("n")
	for range tolerated {
		if _, _, err := v.Get("k"); err == nil || errors.Is(err, ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
	}
	if !r.Stats().Open {
		t.Errorf("not left alone after %d failures", tolerated)
	}
	waitFor(t, "it is left alone", func() bool { _, _, err := v.Get("k"); return errors.Is(err, ErrUnavailable) }) // but for one that tries it
	server.Start()
	waitFor(t, "it is back", func() bool { return v.Set("k", "v", 0) == nil })
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(told, " "); got != "false true" || r.Stats().Open {
		t.Errorf("told %q, stats %+v", got, r.Stats())
	}
}

func waitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// A Redis that hangs costs an operation its timeout, until it is left alone; killed and back, it is found again.
func TestHangsAndDies(t *testing.T) {
	server := redis.New(t)
	r := connect(t, server, func(o *RedisOptions) { o.Timeout = 200 * time.Millisecond })
	v := r.Values("n")
	waitFor(t, "it answers", func() bool { return v.Set("k", "v", 0) == nil })
	server.Pause()
	_, _, err := v.Get("k")
	var slow interface{ Timeout() bool }
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &slow) || !slow.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
	waitFor(t, "it is left alone", func() bool { _, _, err := v.Get("k"); return errors.Is(err, ErrUnavailable) })
	server.Resume()
	waitFor(t, "it is back", func() bool { _, found, _ := v.Get("k"); return found })
	server.Kill()
	waitFor(t, "it is missed", func() bool { return r.Stats().Open || v.Set("k", "v", 0) != nil })
	server.Start()
	waitFor(t, "it is back again", func() bool { return v.Set("k", "v", 0) == nil })
}

func TestPasswordIsUsedAndNotShown(t *testing.T) {
	server := redis.New(t, "--requirepass", "hush-hush")
	right := connect(t, server, func(o *RedisOptions) { o.Password, o.DB = "hush-hush", 3 })
	must(t, right.Values("n").Set("k", "v", 0))
	wrong := connect(t, server, func(o *RedisOptions) { o.Password = "hush" })
	err := wrong.Values("n").Set("k", "v", 0)
	if err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v", err)
	}
}

// In a cluster, the limits of one filter are on one node, and those that are alone are spread.
func TestCluster(t *testing.T) {
	server := redis.New(t, "--cluster-enabled", "yes")
	server.Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	waitFor(t, "the cluster is up", func() bool { return strings.Contains(fmt.Sprint(server.Do("CLUSTER", "INFO")), "cluster_state:ok") })
	r := connect(t, server, func(o *RedisOptions) { o.Addresses = append(o.Addresses, "127.0.0.1:1") })
	asks := []limit.Ask{{Policy: policies()[0], Limit: "a}b", Key: "k", N: 1}, {Policy: policies()[1], Limit: "b", Key: "l", N: 1}}
	answers := make([]limit.Decision, 2)
	must(t, r.Take("routes[0].{filters}", asks, answers))
	if !answers[0].Allowed || !answers[1].Allowed {
		t.Errorf("got %+v", answers)
	}
	slots := map[string]bool{}
	for key := range 10 {
		asks[0].Key = fmt.Sprint(key)
		takeOne(t, r, asks[0])
		slots[server.Do("CLUSTER", "KEYSLOT", r.alone(&asks[0]))[0]] = true
	}
	if len(slots) < 9 {
		t.Errorf("ten keys are in %d slots", len(slots))
	}
	if _, err := r.Book([]limit.Ask{asks[0], asks[1]}); err != nil {
		t.Error(err)
	}
	must(t, r.Values("n").Set("k", "v", 0))
}

// Two gateways that exchange what they took hold the limit but for the stated error, and neither is told nothing of the other.
func TestBatch(t *testing.T) {
	server := redis.New(t)
	for i, p := range policies() {
		var batches []*Batch
		for range 2 {
			counter, err := limit.New(p, 100)
			must(t, err)
			b := connect(t, server, nil).NewBatch(BatchOptions{Policy: p, Limit: fmt.Sprint(i), Every: 10 * time.Millisecond, Keys: 100, Counter: counter.(limit.Learner)})
			defer b.Close()
			batches = append(batches, b)
		}
		take := func(b *Batch, n int64) bool {
			d := b.Take(7, b.At(time.Now()), n)
			if d.Allowed {
				b.Note(7, "k", n)
			}
			return d.Allowed
		}
		if !take(batches[0], 60) || !take(batches[1], 1) {
			t.Fatalf("%v: denied at first", p)
		}
		waitFor(t, "the second has learnt of the first", func() bool {
			b := batches[1]
			b.Note(7, "k", 0) // as a key that is asked for
			return b.Peek(7, b.At(time.Now()), 1).Remaining == 39
		})
		if take(batches[1], 40) || !take(batches[1], 39) {
			t.Errorf("%v: the limit does not hold across both", p)
		}
	}
}

// What could not be told is told when the store is back.
func TestBatchTellsLater(t *testing.T) {
	server := redis.New(t)
	server.Kill()
	p := policies()[2]
	counter, err := limit.New(p, 100)
	must(t, err)
	var failures atomic.Int64
	r := connect(t, server, nil)
	b := r.NewBatch(BatchOptions{Policy: p, Limit: "l", Every: 10 * time.Millisecond, Keys: 16, Counter: counter.(limit.Learner), Told: func(err error) {
		if err != nil {
			failures.Add(1)
		}
	}})
	b.Note(16, "k", 5)
	waitFor(t, "it was not told", func() bool { return failures.Load() > 2 })
	b.Note(32, "too many", 3)
	if b.Lost() != 3 {
		t.Errorf("%d are lost, want 3", b.Lost())
	}
	server.Start()
	waitFor(t, "it was told", func() bool { return len(server.Do("KEYS", "*")) == 1 })
	b.Note(16, "k", 2)
	b.Close() // tells the rest
	waitFor(t, "all is known", func() bool {
		return takeOne(t, r, limit.Ask{Policy: p, Limit: "l", Key: "k", N: 1, Dry: true}).Remaining <= 92
	})
}

func BenchmarkTake(b *testing.B) {
	r := connect(b, redis.New(b), nil)
	a := limit.Ask{Policy: limit.Policy{Algorithm: limit.GCRA, Count: 1000, Per: time.Second, Burst: 1000}, Limit: "l", Key: "k", N: 1}
	for b.Loop() {
		takeOne(b, r, a)
	}
}
