package balance

import "testing"

// TestTurnGoesOn: a group that is made anew for each pick has everyone's turn come all the same.
func TestTurnGoesOn(t *testing.T) {
	turn, got := new(Turn), [3]int{}
	for range 300 {
		p, err := New(Options{Policy: "round_robin", Turn: turn}, group(1, 1, 1))
		if err != nil {
			t.Fatal(err)
		}
		got[p.Pick(0, nil)]++
	}
	if got != [3]int{100, 100, 100} {
		t.Errorf("got %v, want 100 each", got)
	}
}
