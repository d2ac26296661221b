package balance

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func group(weights ...int) []Member {
	members := make([]Member, len(weights))
	for i, weight := range weights {
		members[i] = Member{Weight: weight, Active: new(atomic.Int64), Latency: new(Latency), Hash: Hash(0, fmt.Sprintf("10.0.0.%d:80", i))}
	}
	return members
}

func picker(t testing.TB, policy string, members []Member) *Picker {
	t.Helper()
	p, err := New(Options{Policy: policy, Panic: 50}, members)
	if err != nil {
		t.Fatalf("New(%s): %v", policy, err)
	}
	return p
}

// steps is n weights from 1 up.
func steps(n int) []int {
	weights := make([]int, n)
	for i := range weights {
		weights[i] = i + 1
	}
	return weights
}

func TestDistributionFollowsWeights(t *testing.T) {
	const picks = 1_000_000
	groups := map[string][]int{
		"equal": {1, 1, 1, 1}, "common divisor": {300, 200, 100}, "5 1 1": {5, 1, 1}, "primes": {7, 5, 3, 2},
		"too long for a schedule": {99_991, 50_021, 30_011},
	}
	for _, policy := range Policies() {
		for name, weights := range groups {
			t.Run(policy+"/"+name, func(t *testing.T) {
				p, got, total := picker(t, policy, group(weights...)), make([]int, len(weights)), 0
				for n := range picks {
					got[p.Pick(keyHash(n), nil)]++
				}
				for _, weight := range weights {
					total += weight
				}
				for i, weight := range weights {
					want := float64(picks) * float64(weight) / float64(total)
					if most := tolerance(policy, want, picks); math.Abs(float64(got[i])-want) > most {
						t.Errorf("member %d of weight %d: got %d picks, want %.0f within %.0f", i, weight, got[i], want, most)
					}
				}
			})
		}
	}
}

// keyHash is the hash of one of many keys that differ little.
// tolerance is how many picks more or less than wanted a member may get: 1 % of them, and three standard deviations where chance or hashes
// decide. Shares of the ring are right to some percent of themselves; it is held to 1 % of all picks.
func tolerance(policy string, want, picks float64) float64 {
	switch policy {
	case "round_robin":
		return want / 100
	case "ring_hash":
		return picks / 100
	}
	return want/100 + 3*math.Sqrt(want)
}

func keyHash(n int) uint64 { return Hash(0, fmt.Sprintf("user-%d", n)) }

func TestRoundRobinIsExactAndSmooth(t *testing.T) {
	tests := []struct {
		name    string
		weights []int
		want    string
	}{
		{"equal", []int{9, 9, 9}, "012012"},
		{"one heavy", []int{5, 1, 1}, "0010200" + "0010200"},
		{"two to one", []int{4, 2}, "010010"},
		{"one", []int{7}, "000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, got := picker(t, "round_robin", group(test.weights...)), ""
			for range test.want {
				got += fmt.Sprint(p.Pick(0, nil))
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestLongTurnIsSmoothToo(t *testing.T) {
	weights := steps(400) // 80 200 entries: more than a schedule may have
	p := picker(t, "round_robin", group(weights...))
	if p.all.(*roundRobin).schedule != nil {
		t.Fatal("a schedule was made beyond its bound")
	}
	got := make([]int, len(weights))
	for range 80_200 {
		got[p.Pick(0, nil)]++
	}
	for i, weight := range weights {
		if diff := got[i] - weight; diff < -5 || diff > 5 {
			t.Errorf("member %d: got %d picks in one turn, want about %d", i, got[i], weight)
		}
	}
}

func TestTriedAreLeftOut(t *testing.T) {
	for _, policy := range Policies() {
		t.Run(policy, func(t *testing.T) {
			p, got := picker(t, policy, group(2, 3, 1)), make([]int, 3)
			for n := range 20_000 {
				got[p.Pick(keyHash(n), []int{1})]++
				if place := p.Pick(keyHash(n), []int{2, 0}); place != 1 {
					t.Fatalf("0 and 2 are tried: got %d, want 1", place)
				}
				if place := p.Pick(keyHash(n), []int{2, 1, 0}); place < 0 || place == 0 {
					t.Fatalf("all are tried, 0 last: got %d, want another", place)
				}
			}
			if got[1] != 0 {
				t.Errorf("the tried member was picked %d times", got[1])
			}
			if got[0] < 12_000 || got[0] > 14_600 {
				t.Errorf("member 0: got %d of 20000, want about 13333", got[0])
			}
		})
	}
}

func TestNoneAndOne(t *testing.T) {
	for _, policy := range Policies() {
		if got := picker(t, policy, nil).Pick(0, nil); got != -1 {
			t.Errorf("%s over none: got %d, want -1", policy, got)
		}
		if got := picker(t, policy, group(3)).Pick(0, []int{0}); got != 0 {
			t.Errorf("%s over one that is to be avoided: got %d, want 0", policy, got)
		}
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, policy string
		members      []Member
		want         string
	}{
		{"policy", "fastest", group(1), `unknown balancing policy "fastest"`},
		{"factor", "ring_hash", group(1), "the least is 1"},
		{"no latency", "ewma", []Member{{Weight: 1, Active: new(atomic.Int64)}}, "member 0 has no latency"},
		{"percent", "random", []Member{{Weight: 1, Percent: 101}}, "101 %"},
		{"weight 0", "round_robin", group(1, 0), "weight 0 of member 1"},
		{"negative weight", "least_request", group(-2), "weight -2 of member 0"},
		{"huge weights", "round_robin", group(math.MaxInt32, 2), "too large"},
		{"overflow", "round_robin", group(math.MaxInt, 2), "too large"},
		{"no count", "least_request", []Member{{Weight: 1}}, "member 0 has no count"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Options{Policy: test.policy, Factor: 0.5}, test.members)
			if test.name != "factor" {
				_, err = New(Options{Policy: test.policy}, test.members)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestTheSlowAreSpared lets each exchange last as many ticks as its member is slow; a tick is a millisecond.
func TestTheSlowAreSpared(t *testing.T) {
	const picks = 100_000
	for _, policy := range []string{"least_request", "ewma"} {
		for _, size := range []int{2, 4} {
			t.Run(fmt.Sprintf("%s of %d", policy, size), func(t *testing.T) {
				members := group(slices.Repeat([]int{1}, size)...)
				p, got, slow := picker(t, policy, members), make([]int, size), size-1
				now := 0
				if e, ok := p.all.(*ewma); ok {
					e.now = func() int64 { return int64(now) * 1e6 }
				}
				type exchange struct{ member, began, ends int }
				var open []exchange
				for now = range picks {
					open = slices.DeleteFunc(open, func(e exchange) bool {
						if e.ends > now {
							return false
						}
						members[e.member].Active.Add(-1)
						members[e.member].Latency.Observe(time.Duration(e.ends-e.began)*time.Millisecond, int64(now)*1e6)
						return true
					})
					member, lasts := p.Pick(0, nil), 4
					if member == slow {
						lasts = 400
					}
					got[member]++
					members[member].Active.Add(1)
					open = append(open, exchange{member, now, now + lasts})
				}
				if share := float64(got[slow]) / picks; share >= 0.10 || share == 0 {
					t.Errorf("the slow member got %.2f %%, want less than 10 %% and more than none", share*100)
				}
			})
		}
	}
}

func TestLeastRequestHeedsWeights(t *testing.T) {
	members := group(10, 1)
	p := picker(t, "least_request", members)
	members[0].Active.Store(9)
	members[1].Active.Store(1)
	for range 1000 {
		if got := p.Pick(0, nil); got != 0 {
			t.Fatalf("9 exchanges at weight 10 are less than 1 at weight 1: got %d, want 0", got)
		}
	}
}

func TestHammer(t *testing.T) {
	const workers, picks = 8, 20_000
	for _, policy := range Policies() {
		t.Run(policy, func(t *testing.T) {
			members := group(3, 2, 1)
			p := picker(t, policy, members)
			var wait sync.WaitGroup
			var counts [3]atomic.Int64
			for range workers {
				wait.Go(func() {
					for n := range picks {
						place := p.Pick(keyHash(n), [][]int{nil, {0}, {1}, {2}}[n%4])
						members[place].Active.Add(1)
						members[place].Latency.Observe(time.Duration(n), int64(n)<<18)
						counts[place].Add(1)
						members[place].Active.Add(-1)
					}
				})
			}
			wait.Wait()
			sum := counts[0].Load() + counts[1].Load() + counts[2].Load()
			if sum != workers*picks {
				t.Errorf("got %d picks, want %d", sum, workers*picks)
			}
		})
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, policy := range Policies() {
		p := picker(t, policy, group(3, 2, 1))
		tried := []int{1}
		if got := testing.AllocsPerRun(1000, func() { p.Pick(7, nil); p.Pick(7, tried) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", policy, got)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for _, policy := range Policies() {
		for name, weights := range map[string][]int{"equal": {1, 1, 1}, "weighted": {3, 2, 1}, "400": steps(400)} {
			b.Run(policy+"/"+name, func(b *testing.B) {
				p := picker(b, policy, group(weights...))
				b.ReportAllocs()
				hash := uint64(0)
				for b.Loop() {
					hash += golden
					p.Pick(hash, nil)
				}
			})
		}
	}
}
