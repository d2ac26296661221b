package main

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/plugins/internal/sha256"
)

// keys are the known keys. Plain ones are found by a hash that begins with a secret seed, so that neither how long a search takes nor where
// it ends tells anything about them; digests are as good as random numbers already, and are found by how they begin.
type keys struct {
	seed   uint64
	plain  map[uint64][]plainKey
	hashed map[uint64][]hashedKey
}

// owner is whose a key is.
type owner struct {
	consumer, groups string
}

type plainKey struct {
	key string
	owner
}

type hashedKey struct {
	digest sha256.Digest
	owner
}

func newKeys(seed uint64) keys {
	return keys{seed: seed, plain: map[uint64][]plainKey{}, hashed: map[uint64][]hashedKey{}}
}

// hash is FNV-1a from the seed on. It need not keep keys apart, only spread them.
func (k *keys) hash(key string) uint64 {
	h := k.seed
	for i := 0; i < len(key); i++ {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return h
}

func beginning(d *sha256.Digest) uint64 { return binary.LittleEndian.Uint64(d[:]) }

func (k *keys) len() int { return len(k.plain) + len(k.hashed) }

// addPlain adds a key, and reports whether it is new.
func (k *keys) addPlain(key string, o owner) bool {
	if _, known := k.find(key); known {
		return false
	}
	h := k.hash(key)
	k.plain[h] = append(k.plain[h], plainKey{key, o})
	return true
}

// addDigest adds the key of that digest, and reports whether it is new among the digests.
func (k *keys) addDigest(d sha256.Digest, o owner) bool {
	if _, known := k.findDigest(&d); known {
		return false
	}
	h := beginning(&d)
	k.hashed[h] = append(k.hashed[h], hashedKey{d, o})
	return true
}

// find returns whose key it is. Digests are made only where there are some to compare with: a SHA-256 costs a guest
// more than all the rest.
func (k *keys) find(key string) (o owner, ok bool) {
	if key == "" { // there is none, whatever digest a file may hold
		return owner{}, false
	}
	for _, known := range k.plain[k.hash(key)] {
		if same(known.key, key) {
			o, ok = known.owner, true
		}
	}
	if ok || len(k.hashed) == 0 {
		return o, ok
	}
	d := sha256.Sum(key)
	return k.findDigest(&d)
}

func (k *keys) findDigest(d *sha256.Digest) (o owner, ok bool) {
	for i := range k.hashed[beginning(d)] {
		if known := &k.hashed[beginning(d)][i]; known.digest.Equal(d) {
			o, ok = known.owner, true
		}
	}
	return o, ok
}

// same compares in a time that depends on the lengths only. crypto/subtle would do, and bring 70 KB with it under TinyGo.
func same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	different := byte(0)
	for i := range len(a) {
		different |= a[i] ^ b[i]
	}
	return different == 0
}
