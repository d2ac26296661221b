package pace

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRestSleepsAfterEachPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pace
		start := time.Now()
		p.Rest()
		p.Rest()
		if got := time.Since(start); got != 0 {
			t.Errorf("rested %v before anything was done", got)
		}
		for range 3 {
			time.Sleep(piece) // the work
			p.Rest()
			p.Rest()
		}
		if got, want := time.Since(start), 3*(piece+pause); got != want {
			t.Errorf("three pieces took %v, want %v", got, want)
		}
	})
}
