package balance

import (
	"math"
	"slices"
	"testing"
)

// ranked is a member as the tests below write it.
type ranked struct {
	priority       int
	away, out, new bool
}

func rankedGroup(list []ranked) []Member {
	members := group(slices.Repeat([]int{1}, len(list))...)
	for i, one := range list {
		members[i].Priority, members[i].Away, members[i].Out, members[i].New = one.priority, one.away, one.out, one.new
	}
	return members
}

func TestPriorities(t *testing.T) {
	up, down := ranked{}, ranked{out: true}
	next, nextDown := ranked{priority: 1}, ranked{priority: 1, out: true}
	away, joins := ranked{away: true}, ranked{out: true, new: true}
	tests := []struct {
		name    string
		members []ranked
		panic   int
		want    []float64
		panics  bool
	}{
		{"all of one", []ranked{up, up}, 50, []float64{0.5, 0.5}, false},
		{"one of three out", []ranked{up, up, down}, 50, []float64{0.5, 0.5, 0}, false},
		{"below the threshold", []ranked{up, down, down}, 50, []float64{1. / 3, 1. / 3, 1. / 3}, true},
		{"at the threshold", []ranked{up, down}, 50, []float64{1, 0}, false},
		{"no threshold", []ranked{up, down, down}, 0, []float64{1, 0, 0}, false},
		{"none left", []ranked{down, down}, 50, []float64{0.5, 0.5}, true},
		{"first priority alone", []ranked{up, up, next, next}, 50, []float64{0.5, 0.5, 0, 0}, false},
		{"a quarter out is borne", []ranked{up, up, up, down, next}, 50, []float64{1. / 3, 1. / 3, 1. / 3, 0, 0}, false},
		{"half out flows over", []ranked{up, down, next, next}, 50, []float64{0.7, 0, 0.15, 0.15}, false},
		{"first is gone", []ranked{down, down, next, next}, 50, []float64{0, 0, 0.5, 0.5}, false},
		{"together too few", []ranked{up, down, down, down, nextDown, next, nextDown, nextDown}, 50,
			slices.Repeat([]float64{0.125}, 8), true},
		{"all gone: the first panics", []ranked{down, down, nextDown}, 50, []float64{0.5, 0.5, 0}, true},
		{"own zone first", []ranked{away, up, away, up, next}, 50, []float64{0, 0.5, 0, 0.5, 0}, false},
		{"many that join are no reason", []ranked{up, joins, joins, joins}, 50, []float64{1, 0, 0, 0}, false},
		{"nor do they make the load flow over", []ranked{up, joins, joins, next}, 50, []float64{1, 0, 0, 0}, false},
		{"one that joins instead of one that serves", []ranked{up, down, joins}, 50, []float64{1, 0, 0}, false},
		{"the others are too few without it", []ranked{up, down, down, joins}, 50, slices.Repeat([]float64{0.25}, 4), true},
		{"nobody but those that join", []ranked{down, joins}, 50, []float64{0.5, 0.5}, true},
		{"all of a priority join", []ranked{joins, joins, next}, 50, []float64{0, 0, 1}, false},
		{"other zone before other priority", []ranked{away, down, away, down, next}, 50, []float64{0.5, 0, 0.5, 0, 0}, false},
	}
	for _, test := range tests {
		for _, policy := range Policies() {
			t.Run(test.name+"/"+policy, func(t *testing.T) {
				const picks = 20_000
				members := rankedGroup(test.members)
				p, err := New(Options{Policy: policy, Panic: test.panic}, members)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]float64, len(members))
				none := !slices.ContainsFunc(members, func(m Member) bool { return !m.Out })
				for n := range picks {
					got[p.Pick(keyHash(n), nil)]++
				}
				for i := range got {
					if math.Abs(got[i]/picks-test.want[i]) > 0.02 || (got[i] > 0) != (p.Weight(i) > 0) || p.Keeps(i) != (!members[i].Out || got[i] > 0 && none) {
						t.Errorf("member %d got %.3f of the picks, want %.3f; weight %v", i, got[i]/picks, test.want[i], p.Weight(i))
					}
				}
				if p.Panics() != test.panics {
					t.Errorf("panics: got %v", p.Panics())
				}
			})
		}
	}
}

func TestNoneIsUsable(t *testing.T) {
	for _, policy := range Policies() {
		p, err := New(Options{Policy: policy}, rankedGroup([]ranked{{out: true}, {out: true, priority: 1}}))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Pick(1, nil); got != -1 || p.Keeps(0) || p.Panics() {
			t.Errorf("%s: got %d, %v, %v", policy, got, p.Keeps(0), p.Panics())
		}
	}
}

// TestNever: a member that must not be used is not, and its being out is no reason for a panic.
func TestNever(t *testing.T) {
	for _, policy := range Policies() {
		members := rankedGroup([]ranked{{}, {out: true}, {out: true}, {}})
		members[1].Never, members[2].Never = true, true
		p := picker(t, policy, members)
		for n := range 1000 {
			if got := p.Pick(keyHash(n), []int{0, 3}); got == 1 || got == 2 || p.Panics() || p.Keeps(1) {
				t.Fatalf("%s: got %d, panics: %v", policy, got, p.Panics())
			}
		}
	}
}

// TestTriedLeadOn: when all of a level are tried in vain, the next is asked, before one is asked again.
func TestTriedLeadOn(t *testing.T) {
	for _, policy := range Policies() {
		p := picker(t, policy, rankedGroup([]ranked{{}, {priority: 1}, {}, {priority: 2}, {priority: 2, out: true}, {priority: 2}}))
		for n := range 1000 {
			hash := keyHash(n)
			var tried []int
			for range 5 {
				tried = append(tried, p.Pick(hash, tried))
			}
			order := slices.Clone(tried)
			slices.Sort(order[:2])
			slices.Sort(order[3:])
			if want := []int{0, 2, 1, 3, 5}; !slices.Equal(order, want) {
				t.Fatalf("%s: got %v, want 0 and 2, then 1, then 3 and 5", policy, tried)
			}
			if again := p.Pick(hash, tried); again != 0 && again != 2 {
				t.Fatalf("%s: all are tried: got %d, want one of the first", policy, again)
			}
		}
	}
}

// TestOverflowKeepsKeys: keys that flow over are always the same ones.
func TestOverflowKeepsKeys(t *testing.T) {
	for _, policy := range hashing {
		p := picker(t, policy, rankedGroup([]ranked{{}, {out: true}, {priority: 1}, {priority: 1}}))
		for n := range 1000 {
			if first, again := p.Pick(keyHash(n), nil), p.Pick(keyHash(n), nil); first != again {
				t.Fatalf("%s: key %d went to %d, then to %d", policy, n, first, again)
			}
		}
	}
}
