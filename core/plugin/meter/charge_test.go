package meter

import (
	"errors"
	"testing"
)

// TestChargesAreExact runs every way through testdata/control.wat and compares the fuel spent with the sum of the
// weights on the dearest way, written out. Nothing is taken as paid ahead, so that cheap functions show what they cost.
func TestChargesAreExact(t *testing.T) {
	const (
		one   = weightSimple
		br    = weightBranch
		div   = 2*one + weightDiv + one // two constants, the division, the drop
		entry = weightEntry + 1         // and one parameter
		step  = weightLoop + 4*one + br // the header of a loop that counts down
	)
	tests := []struct {
		name, export string
		args         []uint64
		want         int64
	}{
		{"straight", "straight", []uint64{5}, entry + 3*one},
		{"cheap arm costs as the dear one", "arms", []uint64{1}, entry + one + br + div - one},
		{"dear arm", "arms", []uint64{0}, entry + one + br + div - one},
		{"if without else, taken", "arm", []uint64{1}, entry + one + br + 2*one},
		{"if without else, not taken", "arm", []uint64{0}, entry + one + br + 2*one},
		{"branch out goes on behind the block", "out", []uint64{1}, entry + one + br + 2*one + div},
		{"no branch", "out", []uint64{0}, entry + one + br + 2*one + div},
		{"code behind a branch is free", "jump", []uint64{0}, entry + one + br + br + 2*one},
		{"code behind a return is free", "dead", nil, weightEntry + one + br},
		{"br_table to the cheapest", "cases", []uint64{0}, entry + one + weightTable + div + 2*one},
		{"br_table to the dearest", "cases", []uint64{1}, entry + one + weightTable + div + 2*one},
		{"br_table whose default is the dearest", "default", []uint64{0}, entry + one + weightTable + div},
		{"branch back pays nothing behind the loop", "again", []uint64{3}, entry + 3*(step+one+div)},
		{"loop once", "loop", []uint64{1}, entry + step},
		{"loop thrice", "loop", []uint64{3}, entry + 3*step},
		{"code behind a loop is paid at its header", "after", []uint64{2}, entry + 2*(step+div)},
		{"inner loop", "inner", []uint64{2},
			entry + 1 + 2*(weightLoop+2*one) + 2*3*(step+4*one+one+br+br)},
		{"calls", "calls", []uint64{1}, entry + 2*(2*one+weightCall+CallUnits) + 2*(entry+2+one)},
		{"call through a table", "indirect", []uint64{1}, entry + 3*one + weightIndirect + CallUnits + entry + 2 + one},
	}
	h := newHost(t)
	m, err := load(fixture(t, "control"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	i := mustStart(t, h, emit(m, 0))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := i.call(tt.export, tt.args...)
			if want := CallUnits + tt.want; err != nil || got != want {
				t.Errorf("got %d, want %d (%v)", got, want, err)
			}
		})
	}
}

// TestCallsPayAhead: a function that costs no more than a call has paid has no charge, a dearer one has the rest.
func TestCallsPayAhead(t *testing.T) {
	const dear = weightEntry + 1 + 5*(2*weightSimple+weightDiv+weightSimple) + weightSimple
	tests := []struct {
		name, export string
		want         int64
	}{
		{"cheap function", "straight", CallUnits},
		{"calls of a cheap function", "calls", weightEntry + 1 + 2*(2*weightSimple+weightCall+CallUnits)},
		{"dear function", "dear", dear},
		{"call of a dear function", "calldear", weightEntry + 1 + weightSimple + weightCall + dear},
	}
	i := mustStart(t, newHost(t), mustRewrite(t, fixture(t, "control"), Limits{}).Wasm)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, got, err := i.call(tt.export, 1); err != nil || got != tt.want {
				t.Errorf("got %d, want %d (%v)", got, tt.want, err)
			}
		})
	}
}

// TestBulkChargesAreExact counts each operation by its length, the lengths that fail included.
func TestBulkChargesAreExact(t *testing.T) {
	const (
		base  = max(CallUnits, weightEntry+1+3*weightSimple+weightBulk)
		grow  = weightEntry + 1 + weightSimple + weightMemGrow
		tgrow = weightEntry + 1 + 2*weightSimple + weightTblGrow
		huge  = 0xffffffff
	)
	tests := []struct {
		name, export string
		arg          uint64
		want         int64
		traps        bool
	}{
		{"fill nothing", "fill", 0, base, false},
		{"fill less than a unit", "fill", 7, base, false},
		{"fill", "fill", 64, base + 8, false},
		{"fill past the memory", "fill", huge, base + huge/8, true},
		{"copy", "copy", 4000, base + 500, false},
		{"copy past the memory", "copy", 0x80000000, base + 1<<28, true},
		{"init", "init", 16, base + 2, false},
		{"init past the segment", "init", huge, base + huge/8, true},
		{"memory.grow by nothing", "grow", 0, grow, false},
		{"memory.grow", "grow", 2, grow + 2*unitsPerPage, false},
		{"memory.grow that cannot be granted", "grow", huge, grow, false},
		{"memory.grow just past the maximum", "grow", 17, grow, false},
		{"table.fill", "tfill", 5, base + 5, false},
		{"table.fill past the table", "tfill", huge, base + huge, true},
		{"table.copy", "tcopy", 6, base + 6, false},
		{"table.init", "tinit", 4, base + 4, false},
		{"table.grow", "tgrow", 10, tgrow + 10, false},
		{"table.grow that cannot be granted", "tgrow", huge, tgrow, false},
	}
	h := newHost(t)
	wasm := mustRewrite(t, fixture(t, "bulk"), Limits{}).Wasm
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := mustStart(t, h, wasm).call(tt.export, tt.arg)
			if got != tt.want || (err != nil) != tt.traps {
				t.Errorf("got %d, want %d (%v)", got, tt.want, err)
			}
		})
	}
}

func TestBulkInLoopsIsBounded(t *testing.T) {
	h := newHost(t)
	h.budget = 10_000_000
	i := mustStart(t, h, mustRewrite(t, fixture(t, "bulk"), Limits{}).Wasm)
	_, spent, err := i.call("looped", 65536, 1<<31)
	if !errors.Is(err, errFuel) {
		t.Fatalf("got %v, want %v", err, errFuel)
	}
	if most := h.budget + 2*h.slice; spent > most {
		t.Errorf("spent %d, at most %d wanted", spent, most)
	}
}

// TestEndlessLoop must come back to the host at every slice, and end at the budget.
func TestEndlessLoop(t *testing.T) {
	h := newHost(t)
	h.budget, h.slice = 5_000_000, 100_000
	i := mustStart(t, h, mustRewrite(t, fixture(t, "control"), Limits{}).Wasm)
	_, _, err := i.call("forever")
	if !errors.Is(err, errFuel) {
		t.Fatalf("got %v, want %v", err, errFuel)
	}
	if got, want := h.refills, int(h.budget/h.slice); got < want-1 || got > want {
		t.Errorf("%d refills, want about %d", got, want)
	}
	if int64(i.fuel.Get()) >= 0 {
		t.Error("fuel is not below zero after the trap")
	}
	i = mustStart(t, h, mustRewrite(t, fixture(t, "control"), Limits{}).Wasm)
	if _, _, err := i.call("own"); err == nil || int64(i.fuel.Get()) < 0 {
		t.Errorf("the guest's own trap: %v, fuel %d; want a trap and fuel left", err, int64(i.fuel.Get()))
	}
}
