package trace

import (
	"strings"
	"testing"
)

const (
	someTrace = "0af7651916cd43dd8448eb211c80319c"
	someSpan  = "b7ad6b7169203331"
)

func TestParseParent(t *testing.T) {
	const good = "00-" + someTrace + "-" + someSpan + "-01"
	tests := []struct {
		name, value string
		want        string // written anew; "" when it is refused
	}{
		{"as it should be", good, good},
		{"not sampled", "00-" + someTrace + "-" + someSpan + "-00", "00-" + someTrace + "-" + someSpan + "-00"},
		{"random", "00-" + someTrace + "-" + someSpan + "-03", "00-" + someTrace + "-" + someSpan + "-03"},
		{"flags that mean nothing yet", "00-" + someTrace + "-" + someSpan + "-ff", "00-" + someTrace + "-" + someSpan + "-03"},
		{"only such flags", "00-" + someTrace + "-" + someSpan + "-04", "00-" + someTrace + "-" + someSpan + "-00"},
		{"a later version", "cc-" + someTrace + "-" + someSpan + "-01", good},
		{"a later version with more", "cc-" + someTrace + "-" + someSpan + "-01-what-the-future-will-be-like", good},
		{"a later version with a dash", "01-" + someTrace + "-" + someSpan + "-01-", good},
		{"a later version with another sign", "cc-" + someTrace + "-" + someSpan + "-01.what-the-future-will-not-be-like", ""},
		{"version ff", "ff-" + someTrace + "-" + someSpan + "-01", ""},
		{"version ff with more", "ff-" + someTrace + "-" + someSpan + "-01-x", ""},
		{"version in capitals", "CC-" + someTrace + "-" + someSpan + "-01", ""},
		{"version with a dot first", ".0-" + someTrace + "-" + someSpan + "-01", ""},
		{"version with a dot last", "0.-" + someTrace + "-" + someSpan + "-01", ""},
		{"version too long", "000-" + someTrace + "-" + someSpan + "-01", ""},
		{"version too short", "0-" + someTrace + "-" + someSpan + "-01", ""},
		{"version 00 with more", good + "-x", ""},
		{"version 00 with a dash behind", good + "-", ""},
		{"version 00 with a sign behind", good + ".", ""},
		{"no trace", "00-" + strings.Repeat("0", 32) + "-" + someSpan + "-01", ""},
		{"no span", "00-" + someTrace + "-" + strings.Repeat("0", 16) + "-01", ""},
		{"trace in capitals", "00-" + strings.ToUpper(someTrace) + "-" + someSpan + "-01", ""},
		{"span in capitals", "00-" + someTrace + "-" + strings.ToUpper(someSpan) + "-01", ""},
		{"trace with a dot", "00-." + someTrace[1:] + "-" + someSpan + "-01", ""},
		{"span with a dot", "00-" + someTrace + "-" + someSpan[:15] + ".-01", ""},
		{"flags with a dot", "00-" + someTrace + "-" + someSpan + "-.0", ""},
		{"flags with a dot behind", "00-" + someTrace + "-" + someSpan + "-0.", ""},
		{"flags in capitals", "00-" + someTrace + "-" + someSpan + "-0F", ""},
		{"trace too long", "00-" + someTrace + "0-" + someSpan + "-01", ""},
		{"trace too short", "00-" + someTrace[1:] + "-" + someSpan + "-01", ""},
		{"span too long", "00-" + someTrace + "-" + someSpan + "0-01", ""},
		{"span too short", "00-" + someTrace + "-" + someSpan[1:] + "-01", ""},
		{"flags too long", "00-" + someTrace + "-" + someSpan + "-001", ""},
		{"flags too short", "00-" + someTrace + "-" + someSpan + "-1", ""},
		{"spaces around", " " + good + " ", ""}, // the engine takes them off
		{"no dashes", strings.ReplaceAll(good, "-", "_"), ""},
		{"two in a list", good + "," + good, ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, ok := ParseParent(tt.value)
			if ok != (tt.want != "") {
				t.Fatalf("got %v, want %v", ok, !ok)
			}
			if !ok && c != (Context{}) {
				t.Errorf("got %v of what was refused", c)
			}
			if ok && string(c.AppendParent(nil)) != tt.want {
				t.Errorf("got %s, want %s", c.AppendParent(nil), tt.want)
			}
		})
	}
}

func FuzzParseParent(f *testing.F) {
	f.Add("00-" + someTrace + "-" + someSpan + "-01")
	f.Add("cc-" + someTrace + "-" + someSpan + "-ff-x")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := ParseParent(s)
		if !ok {
			return
		}
		if c.Trace == (ID{}) || c.Span == (SpanID{}) {
			t.Errorf("%q has an id of zeros", s)
		}
		written := string(c.AppendParent(nil))
		if written[2:53] != s[2:53] {
			t.Errorf("%q became %q", s, written)
		}
		if again, ok := ParseParent(written); !ok || again != c {
			t.Errorf("%q: what was written is read as %v, %v", s, again, ok)
		}
	})
}

func TestParsingAllocatesNothing(t *testing.T) {
	parent := "00-" + someTrace + "-" + someSpan + "-01"
	state := "a=1,b@c=2 3 , d=4"
	var room [64]byte
	if n := testing.AllocsPerRun(100, func() {
		c, ok := ParseParent(parent)
		var s State
		if !ok || !s.Add(state) {
			t.Fatal("refused")
		}
		c.AppendParent(room[:0])
	}); n != 0 {
		t.Errorf("got %v allocations", n)
	}
}

func TestNewIDs(t *testing.T) {
	seen := map[ID]bool{}
	var all [16]byte
	for range 1000 {
		id := NewID()
		if seen[id] || id == (ID{}) || NewSpanID() == (SpanID{}) {
			t.Fatalf("%x", id)
		}
		seen[id] = true
		for i := range id[9:] {
			all[9+i] |= ^id[9+i]
		}
	}
	for i, bits := range all[9:] {
		if bits != 0xff {
			t.Errorf("of byte %d some bits are always set: %08b", 9+i, bits)
		}
	}
}

func TestShare(t *testing.T) {
	count := func(ratio float64) (n int) {
		share := NewShare(ratio)
		for range 10_000 {
			if id := NewID(); share.Has(&id) {
				n++
			}
		}
		return n
	}
	if n := count(0); n != 0 {
		t.Errorf("of none: %d", n)
	}
	if n := count(1); n != 10_000 {
		t.Errorf("of all: %d", n)
	}
	if n := count(0.5); n < 4500 || n > 5500 { // ten standard deviations
		t.Errorf("of a half: %d of 10000", n)
	}
	full := ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if share := NewShare(1); !share.Has(&full) {
		t.Error("all have not the last")
	}
}

func BenchmarkParseParent(b *testing.B) {
	parent := "00-" + someTrace + "-" + someSpan + "-01"
	for b.Loop() {
		ParseParent(parent)
	}
}
