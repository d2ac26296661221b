package balance

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var policies = []string{"round_robin", "least_request"}

func group(weights ...int) []Member {
	members := make([]Member, len(weights))
	for i, weight := range weights {
		members[i] = Member{Weight: weight, Active: new(atomic.Int64)}
	}
	return members
}

func picker(t testing.TB, policy string, members []Member) Picker {
	t.Helper()
	p, err := New(policy, members)
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
	for _, policy := range policies {
		for name, weights := range groups {
			t.Run(policy+"/"+name, func(t *testing.T) {
				p, got, total := picker(t, policy, group(weights...)), make([]int, len(weights)), 0
				for range picks {
					got[p.Pick(0, nil)]++
				}
				for _, weight := range weights {
					total += weight
				}
				for i, weight := range weights {
					want := float64(picks) * float64(weight) / float64(total)
					if math.Abs(float64(got[i])-want) > picks/100 {
						t.Errorf("member %d of weight %d: got %d picks, want %.0f within 1 %%", i, weight, got[i], want)
					}
				}
			})
		}
	}
}

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
	p := picker(t, "round_robin", group(weights...)).(*roundRobin)
	if p.schedule != nil {
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

func TestAvoid(t *testing.T) {
	for _, policy := range policies {
		t.Run(policy, func(t *testing.T) {
			p, got := picker(t, policy, group(2, 3, 1)), make([]int, 3)
			for range 100_000 {
				got[p.Pick(0, []int{1})]++
			}
			if got[1] != 0 {
				t.Errorf("the avoided member was picked %d times", got[1])
			}
			if got[0] < 60_000 || got[0] > 73_000 {
				t.Errorf("member 0: got %d of 100000, want about 66667", got[0])
			}
		})
	}
}

func TestNoneAndOne(t *testing.T) {
	for _, policy := range policies {
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
		{"weight 0", "round_robin", group(1, 0), "weight 0 of member 1"},
		{"negative weight", "least_request", group(-2), "weight -2 of member 0"},
		{"huge weights", "round_robin", group(math.MaxInt32, 2), "too large"},
		{"overflow", "round_robin", group(math.MaxInt, 2), "too large"},
		{"no count", "least_request", []Member{{Weight: 1}}, "member 0 has no count"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(test.policy, test.members)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestLeastRequestSparesTheSlow lets each exchange last as many ticks as its member is slow.
func TestLeastRequestSparesTheSlow(t *testing.T) {
	const picks, slow = 100_000, 3
	members := group(1, 1, 1, 1)
	p, got := picker(t, "least_request", members), make([]int, len(members))
	type exchange struct{ member, ends int }
	var open []exchange
	for now := range picks {
		kept := open[:0]
		for _, e := range open {
			if e.ends > now {
				kept = append(kept, e)
			} else {
				members[e.member].Active.Add(-1)
			}
		}
		open = kept
		member, lasts := p.Pick(0, nil), 4
		if member == slow {
			lasts = 400
		}
		got[member]++
		members[member].Active.Add(1)
		open = append(open, exchange{member, now + lasts})
	}
	if share := float64(got[slow]) / picks; share >= 0.10 || share == 0 {
		t.Errorf("the slow member got %.1f %%, want less than 10 %% and more than none", share*100)
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
	for _, policy := range policies {
		t.Run(policy, func(t *testing.T) {
			members := group(3, 2, 1)
			p := picker(t, policy, members)
			var wait sync.WaitGroup
			var counts [3]atomic.Int64
			for range workers {
				wait.Go(func() {
					for n := range picks {
						place := p.Pick(0, [][]int{nil, {0}, {1}, {2}}[n%4])
						members[place].Active.Add(1)
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
	for _, policy := range policies {
		p := picker(t, policy, group(3, 2, 1))
		tried := []int{1}
		if got := testing.AllocsPerRun(1000, func() { p.Pick(0, nil); p.Pick(0, tried) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", policy, got)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for _, policy := range policies {
		for name, weights := range map[string][]int{"equal": {1, 1, 1}, "weighted": {3, 2, 1}, "400": steps(400)} {
			b.Run(policy+"/"+name, func(b *testing.B) {
				p := picker(b, policy, group(weights...))
				b.ReportAllocs()
				for b.Loop() {
					p.Pick(0, nil)
				}
			})
		}
	}
}
