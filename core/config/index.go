package config

import "hash/maphash"

// index is the places of a file that has been read, for as long as its Config is in use. It has hashes instead of key paths: without
// pointers the garbage collector need not look through hundreds of thousands of them. Should two hashes ever be the same, then a message
// names a wrong line.
type index struct {
	seed   maphash.Seed
	places map[uint64]indexed
}

// indexed is a Place in fewer bytes; maxFile bounds both.
type indexed struct {
	line, col int32
}

func newIndex(p places, rest func()) *index {
	x := &index{seed: maphash.MakeSeed(), places: make(map[uint64]indexed, len(p))}
	n := 0
	for key, it := range p {
		if n++; n%64 == 0 { // a rest costs as much as several entries
			rest()
		}
		x.places[maphash.String(x.seed, key)] = indexed{int32(it.Line), int32(it.Col)}
	}
	return x
}

func (x *index) at(key string) Place {
	for ; key != ""; key = parent(key) {
		if it, ok := x.places[maphash.String(x.seed, key)]; ok {
			return Place{int(it.line), int(it.col)}
		}
	}
	return Place{1, 1}
}

// exact is at for the key itself: zero when it does not stand in the file.
func (x *index) exact(key string) Place {
	it := x.places[maphash.String(x.seed, key)]
	return Place{int(it.line), int(it.col)}
}
