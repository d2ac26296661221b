package balance

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"
)

var hashing = []string{"ring_hash", "maglev"}

// TestHashIsForEver: gateways of other versions must place clients as this one does.
func TestHashIsForEver(t *testing.T) {
	tests := []struct {
		text string
		want uint64
	}{
		{"", 0x8b172f19d02c3b2b}, {"a", 0x726fd6bc6eb6d126}, {"192.0.2.1", 0xe4d4d0eda40319cb}, {"0123456789abcdef", 0x5a4cf7b787bf1901},
	}
	for _, test := range tests {
		if got := Hash(0, test.text); got != test.want {
			t.Errorf("%q: got %#x, want %#x", test.text, got, test.want)
		}
	}
}

func TestHashTellsApart(t *testing.T) {
	seen := map[uint64]string{}
	add := func(name string, hash uint64) {
		if other, twice := seen[hash]; twice {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[hash] = name
	}
	for n := range 100 {
		add(fmt.Sprint(n, " zero bytes"), Hash(0, strings.Repeat("\x00", n)))
	}
	for n := range 200_000 {
		add(fmt.Sprint("key ", n), Hash(0, fmt.Sprint("key ", n)))
	}
	add("a, b", Hash(Hash(0, "a"), "b"))
	add("b, a", Hash(Hash(0, "b"), "a"))
	add("ab", Hash(0, "ab"))
	add("ab, nothing", Hash(Hash(0, "ab"), ""))
	add("nothing, ab", Hash(Hash(0, ""), "ab"))
}

// TestHashAvalanche: a bit of the text decides over each bit of the hash, half of the time.
func TestHashAvalanche(t *testing.T) {
	for _, length := range []int{1, 7, 8, 9, 24} {
		flips := [64]int{}
		tries := 0
		for n := range 1000 {
			text := make([]byte, length)
			for i := range text {
				text[i] = byte(mix(uint64(n*length + i + 1)))
			}
			before := Hash(0, string(text))
			for bit := range length * 8 {
				text[bit/8] ^= 1 << (bit % 8)
				for changed := before ^ Hash(0, string(text)); changed != 0; changed &= changed - 1 {
					flips[bits.TrailingZeros64(changed)]++
				}
				text[bit/8] ^= 1 << (bit % 8)
				tries++
			}
		}
		for bit, n := range flips {
			if share := float64(n) / float64(tries); math.Abs(share-0.5) > 0.05 {
				t.Errorf("%d bytes: bit %d flips %.1f %% of the time, want 50 %%", length, bit, share*100)
			}
		}
	}
}

// TestFewKeysMove takes each of n members away, once from the list and once as one that cannot be used for now.
func TestFewKeysMove(t *testing.T) {
	const keys = 20_000
	for _, policy := range hashing {
		for _, n := range []int{2, 3, 10, 65, 130} {
			t.Run(fmt.Sprintf("%s of %d", policy, n), func(t *testing.T) {
				members := group(slices.Repeat([]int{1}, n)...)
				before := picker(t, policy, members)
				gone := n / 2
				fewer := picker(t, policy, slices.Delete(slices.Clone(members), gone, gone+1))
				members[gone].Out = true
				without := picker(t, policy, members)
				moved, movedOut := 0, 0
				for key := range keys {
					was, is, out := before.Pick(keyHash(key), nil), fewer.Pick(keyHash(key), nil), without.Pick(keyHash(key), nil)
					if is >= gone {
						is++
					}
					if out == gone {
						t.Fatal("a member that is out was picked")
					}
					moved, movedOut = moved+one(was != is), movedOut+one(was != out)
				}
				most := (1/float64(n) + 0.05) * keys
				if float64(moved) > most || float64(movedOut) > most {
					t.Errorf("%d and %d of %d keys moved, want at most %.0f", moved, movedOut, keys, most)
				}
			})
		}
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestOrderDoesNotMatter: two gateways with the same members in another order send a client to the same one.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, policy := range hashing {
		members := group(1, 2, 3, 4, 5)
		other := slices.Clone(members)
		slices.Reverse(other)
		a, b := picker(t, policy, members), picker(t, policy, other)
		for key := range 10_000 {
			if x, y := a.Pick(keyHash(key), nil), b.Pick(keyHash(key), nil); x != 4-y {
				t.Fatalf("%s: key %d goes to %d here and to %d there", policy, key, x, 4-y)
			}
		}
	}
}

// TestWeightMovesOnlyItsShare: while a member's weight rises, keys come to it and to no other.
func TestWeightMovesOnlyItsShare(t *testing.T) {
	const keys = 50_000
	for _, policy := range hashing {
		members := group(1, 1, 1, 1)
		full := picker(t, policy, members)
		members[2].Percent = 10
		young, got, stray := picker(t, policy, members), 0, 0
		for key := range keys {
			was, is := full.Pick(keyHash(key), nil), young.Pick(keyHash(key), nil)
			got += one(is == 2)
			stray += one(was != is && was != 2)
		}
		if share := float64(got) / keys; math.Abs(share-0.1/3.1) > 0.01 || float64(stray)/keys > 0.05 {
			t.Errorf("%s: at a tenth of its weight the member has %.1f %% of the keys, %d others moved", policy, share*100, stray)
		}
	}
}

// TestBoundedLoad sends the same key again and again, and lets nothing end.
func TestBoundedLoad(t *testing.T) {
	for _, policy := range hashing {
		members := group(2, 1, 1)
		p, err := New(Options{Policy: policy, Factor: 1.25}, members)
		if err != nil {
			t.Fatal(err)
		}
		own := p.Pick(42, nil)
		for n := 1; n <= 1000; n++ {
			members[p.Pick(42, nil)].Active.Add(1)
			for i, m := range members {
				if bound := math.Ceil(1.25 * float64(n) * float64(m.Weight) / 4); float64(m.Active.Load()) > bound {
					t.Fatalf("%s: member %d has %d of %d in flight, want at most %.0f", policy, i, m.Active.Load(), n, bound)
				}
			}
		}
		if got, most := members[own].Active.Load(), int64(1.25*1000*float64(members[own].Weight)/4); got < most-1 {
			t.Errorf("%s: its own member has %d of 1000, want %d: all that the bound lets it have", policy, got, most)
		}
		unbounded := picker(t, policy, members)
		if got := unbounded.Pick(42, nil); got != own {
			t.Errorf("%s: without a bound the key went to %d, want %d", policy, got, own)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	for _, text := range []string{"192.0.2.1", "0f8fad5b-d9cb-469f-a165-70867728950e"} {
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) {
			for b.Loop() {
				Hash(0, text)
			}
		})
	}
}

// BenchmarkNew is what a change of the group costs, off the way of exchanges.
func BenchmarkNew(b *testing.B) {
	for _, policy := range Policies() {
		for _, n := range []int{3, 1000} {
			b.Run(fmt.Sprintf("%s/%d", policy, n), func(b *testing.B) {
				members := group(slices.Repeat([]int{1}, n)...)
				for b.Loop() {
					picker(b, policy, members)
				}
			})
		}
	}
}

// BenchmarkBounded has exchanges in flight everywhere, so that the load has to be counted.
func BenchmarkBounded(b *testing.B) {
	for _, policy := range hashing {
		for _, n := range []int{3, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", policy, n), func(b *testing.B) {
				members := group(slices.Repeat([]int{1}, n)...)
				for _, m := range members {
					m.Active.Store(5)
				}
				p, err := New(Options{Policy: policy, Factor: 1.25}, members)
				if err != nil {
					b.Fatal(err)
				}
				hash := uint64(0)
				b.ReportAllocs()
				for b.Loop() {
					hash += golden
					p.Pick(hash, nil)
				}
			})
		}
	}
}
