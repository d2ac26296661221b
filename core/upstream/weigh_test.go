package upstream

import (
	"strings"
	"testing"
)

func weights(u *Upstream) map[string]int {
	all := map[string]int{}
	for _, e := range u.Endpoints() {
		all[e.Address] = e.Weight
	}
	return all
}

func TestWeigh(t *testing.T) {
	given := []EndpointOptions{{Address: "a:1", Weight: 2}, {Address: "b:1"}}
	o := Options{Name: "u", Policy: "round_robin", Endpoints: given}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	update := func(list ...EndpointOptions) func() error { return func() error { return u.Update(list) } }
	steps := []struct {
		name string
		do   func() error
		a, b int
	}{
		{"as given", func() error { return nil }, 2, 1},
		{"the operator's word", func() error { return u.Weigh("a:1", 7) }, 7, 1},
		{"the same list again", update(given...), 7, 1},
		{"another's weight changes", update(given[0], EndpointOptions{Address: "b:1", Weight: 5}), 7, 5},
		{"taken back", func() error { return u.Weigh("a:1", 0) }, 2, 5},
		{"again", func() error { return u.Weigh("a:1", 9) }, 9, 5},
		{"the config says something new", update(EndpointOptions{Address: "a:1", Weight: 3}, given[1]), 3, 1},
		{"the config says the old again", update(given...), 2, 1},
		{"once more", func() error { return u.Weigh("b:1", 1000) }, 2, 1000},
		{"it goes", update(given[0]), 2, 0},
		{"it comes again", update(given...), 2, 1},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := weights(u); got["a:1"] != step.a || got["b:1"] != step.b {
			t.Errorf("%s: got %v, want %d and %d", step.name, got, step.a, step.b)
		}
	}
	for address, weight := range map[string]int{"a:1": -1, "b:1": 1001, "c:1": 1} {
		if err := u.Weigh(address, weight); err == nil {
			t.Errorf("%s: %d was taken", address, weight)
		}
	}
}

func TestWeightIsInherited(t *testing.T) {
	o := Options{Name: "u", Policy: "round_robin", Endpoints: []EndpointOptions{{Address: "a:1"}, {Address: "b:1"}}}
	first, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := first.Weigh("a:1", 4); err != nil {
		t.Fatal(err)
	}
	o.Former = first
	second, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if got := weights(second)["a:1"]; got != 4 {
		t.Errorf("the next upstream of the name weighs it %d", got)
	}
	if err := second.Weigh("a:1", 0); err != nil {
		t.Fatal(err)
	}
	first.TakeDrains(second)
	if got := weights(first)["a:1"]; got != 1 {
		t.Errorf("an upstream that is used again weighs it %d", got)
	}
	if err := first.Weigh("nobody:1", 4); err == nil || !strings.Contains(err.Error(), "nobody:1") {
		t.Errorf("got %v", err)
	}
}

// The share of picks is that of the new weight.
func TestWeightCounts(t *testing.T) {
	u, err := New(Options{Name: "u", Policy: "round_robin", Endpoints: []EndpointOptions{{Address: "a:1"}, {Address: "b:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if err := u.Weigh("a:1", 3); err != nil {
		t.Fatal(err)
	}
	picked := [2]int{}
	for range 400 {
		picked[u.pick(u.view.Load(), &choice{}, nil)]++
	}
	if picked != [2]int{300, 100} {
		t.Errorf("got %v", picked)
	}
}
