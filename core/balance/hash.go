package balance

import "math/bits"

const (
	// golden is 2^64 divided by the golden ratio: its multiples fill a range more evenly than those of any other number.
	golden = 0x9E3779B97F4A7C15
	// odd spreads what differs between two words over all bits above.
	odd = 0xD6E8FEB86659FD93
)

// Hash joins text to a hash that begins as 0; the order of parts matters. It is the same in every process, and will be in later versions:
// gateways that stand side by side must send a client to the same member, and so must one that is started anew. So there is no secret in
// it, and a client can make its requests meet with others' at one member; all it gains is to share with them what a bound on the load lets
// a member have. Each step can be undone, so that no two words of the same length lose their difference on the way.
func Hash(sum uint64, text string) uint64 {
	sum = (bits.RotateLeft64(sum, 29) ^ uint64(len(text)) + 1) * golden
	for ; len(text) >= 8; text = text[8:] {
		sum = step(sum, uint64(text[0])|uint64(text[1])<<8|uint64(text[2])<<16|uint64(text[3])<<24|
			uint64(text[4])<<32|uint64(text[5])<<40|uint64(text[6])<<48|uint64(text[7])<<56)
	}
	rest := uint64(0)
	for i := range len(text) {
		rest |= uint64(text[i]) << (8 * i)
	}
	return mix(step(sum, rest))
}

func step(sum, word uint64) uint64 {
	sum = (sum ^ word) * odd
	return sum ^ sum>>32
}

// mix lets every bit of n decide over every bit of the result; different numbers stay different.
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xBF58476D1CE4E5B9
	n = (n ^ n>>27) * 0x94D049BB133111EB
	return n ^ n>>31
}
