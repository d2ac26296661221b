package main

import "encoding/binary"

// keys are the known keys by the first bytes of their SHA-256. The keys themselves are not kept.
type keys map[uint64][]entry

type entry struct {
	digest   digest
	consumer string
}

func bucket(d *digest) uint64 { return binary.BigEndian.Uint64(d[:]) }

// add adds a key, and reports whether it is new.
func (k keys) add(e entry) bool {
	for _, known := range k[bucket(&e.digest)] {
		if known.digest == e.digest {
			return false
		}
	}
	k[bucket(&e.digest)] = append(k[bucket(&e.digest)], e)
	return true
}

// consumer returns whose key it is. How long it takes tells nothing about the known keys: a digest cannot be
// approached byte by byte, and digests are compared in constant time.
func (k keys) consumer(key string) (consumer string, ok bool) {
	d := sum(key)
	for _, e := range k[bucket(&d)] {
		if e.digest.same(&d) {
			consumer, ok = e.consumer, true
		}
	}
	return consumer, ok
}
