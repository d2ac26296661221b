package limit

import (
	"hash/maphash"
	"math/bits"
)

// Seed makes keys out of their parts. Each process has its own, so that no client can make keys meet on purpose.
type Seed struct {
	seed maphash.Seed
}

// NewSeed returns a random seed.
func NewSeed() Seed { return Seed{maphash.MakeSeed()} }

// Join adds a part to a key that begins as 0; the order of parts matters.
func (s Seed) Join(key uint64, part string) uint64 {
	return mix(key, maphash.String(s.seed, part))
}

// JoinBytes is Join for bytes.
func (s Seed) JoinBytes(key uint64, part []byte) uint64 {
	return mix(key, maphash.Bytes(s.seed, part))
}

func mix(key, sum uint64) uint64 {
	high, low := bits.Mul64(bits.RotateLeft64(key, 32)^sum, 0x9E3779B97F4A7C15)
	return high ^ low
}
