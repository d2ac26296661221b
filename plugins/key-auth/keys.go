package main

// keys are the known keys. Plain ones are found by a hash that begins with a secret seed, so that neither how long a search takes nor where
// it ends tells anything about them; digests are as good as random numbers already.
type keys struct {
	seed    uint64
	plain   map[uint64][]plainKey
	digests map[digest]string // the consumers
}

type plainKey struct {
	key, consumer string
}

func newKeys(seed uint64) keys {
	return keys{seed: seed, plain: map[uint64][]plainKey{}, digests: map[digest]string{}}
}

// hash is FNV-1a from the seed on. It need not keep keys apart, only spread them.
func (k *keys) hash(key string) uint64 {
	h := k.seed
	for i := 0; i < len(key); i++ {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return h
}

func (k *keys) len() int { return len(k.plain) + len(k.digests) }

// addPlain adds a key, and reports whether it is new.
func (k *keys) addPlain(key, consumer string) bool {
	if _, known := k.consumer(key); known {
		return false
	}
	h := k.hash(key)
	k.plain[h] = append(k.plain[h], plainKey{key, consumer})
	return true
}

// addDigest adds the key of that digest, and reports whether it is new among the digests.
func (k *keys) addDigest(d digest, consumer string) bool {
	if _, known := k.digests[d]; known {
		return false
	}
	k.digests[d] = consumer
	return true
}

// consumer returns whose key it is. Digests are made only where there are some to compare with: a SHA-256 costs a guest
// more than all the rest.
func (k *keys) consumer(key string) (consumer string, ok bool) {
	if key == "" { // there is none, whatever digest a file may hold
		return "", false
	}
	for _, known := range k.plain[k.hash(key)] {
		if same(known.key, key) {
			consumer, ok = known.consumer, true
		}
	}
	if ok || len(k.digests) == 0 {
		return consumer, ok
	}
	consumer, ok = k.digests[sum(key)]
	return consumer, ok
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
