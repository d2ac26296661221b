package meter

// simdTable holds the instructions behind 0xfd; relaxed SIMD, from 0x100 on, is not among them.
var simdTable = simdOps()

func simdOps() (t [256]op) {
	one := op{shape: plain, pop: 1, push: 1, weight: weightSIMD}
	two := op{shape: plain, pop: 2, push: 1, weight: weightSIMD}
	spread := func(o op, codes ...byte) {
		for i := 0; i < len(codes); i += 2 {
			for c := int(codes[i]); c <= int(codes[i+1]); c++ {
				t[c] = o
			}
		}
	}
	// From, to: both included.
	spread(one, 0x0f, 0x14, 0x4d, 0x4d, 0x53, 0x53, 0x5e, 0x64, 0x67, 0x6a, 0x74, 0x75, 0x7a, 0x7a, 0x7c, 0x81,
		0x83, 0x84, 0x87, 0x8a, 0x94, 0x94, 0xa0, 0xa1, 0xa3, 0xa4, 0xa7, 0xaa, 0xc0, 0xc1, 0xc3, 0xc4, 0xc7, 0xca,
		0xe0, 0xe1, 0xec, 0xed, 0xf8, 0xff)
	spread(two, 0x0e, 0x0e, 0x23, 0x4c, 0x4e, 0x51, 0x65, 0x66, 0x6b, 0x73, 0x76, 0x79, 0x7b, 0x7b, 0x82, 0x82,
		0x85, 0x86, 0x8b, 0x93, 0x95, 0x99, 0x9b, 0x9f, 0xab, 0xae, 0xb1, 0xb1, 0xb5, 0xba, 0xbc, 0xbf, 0xcb, 0xce,
		0xd1, 0xd1, 0xd5, 0xdf, 0xe4, 0xeb, 0xf0, 0xf7)
	one.weight, two.weight = 2*weightFloatDiv, 2*weightFloatDiv
	spread(one, 0xe3, 0xe3, 0xef, 0xef) // sqrt
	spread(two, 0xe7, 0xe7, 0xf3, 0xf3) // div
	t[0x52] = op{shape: plain, pop: 3, push: 1, weight: weightSIMD}
	t[simdConst] = op{shape: simdBytes, push: 1, weight: weightSIMD}
	t[0x0d] = op{shape: simdLanes, pop: 2, push: 1, weight: weightSIMD}
	simdLaneOps(&t)
	simdMemOps(&t)
	return t
}

func simdLaneOps(t *[256]op) {
	for c, lanes := range map[int]uint8{0x15: 16, 0x16: 16, 0x18: 8, 0x19: 8, 0x1b: 4, 0x1d: 2, 0x1f: 4, 0x21: 2} {
		t[c] = op{shape: simdLane, pop: 1, push: 1, weight: weightSIMD, limit: lanes} // extract
	}
	for c, lanes := range map[int]uint8{0x17: 16, 0x1a: 8, 0x1c: 4, 0x1e: 2, 0x20: 4, 0x22: 2} {
		t[c] = op{shape: simdLane, pop: 2, push: 1, weight: weightSIMD, limit: lanes} // replace
	}
}

func simdMemOps(t *[256]op) {
	// The widest alignment of each load, as an exponent.
	for c, align := range [...]uint8{0x00: 4, 0x01: 3, 0x02: 3, 0x03: 3, 0x04: 3, 0x05: 3, 0x06: 3, 0x07: 0, 0x08: 1,
		0x09: 2, 0x0a: 3} {
		t[c] = op{shape: simdMem, pop: 1, push: 1, weight: weightLoad + 1, limit: align}
	}
	t[0x5c] = op{shape: simdMem, pop: 1, push: 1, weight: weightLoad + 1, limit: 2}
	t[0x5d] = op{shape: simdMem, pop: 1, push: 1, weight: weightLoad + 1, limit: 3}
	t[0x0b] = op{shape: simdMem, pop: 2, weight: weightStore + 1, limit: 4}
	for c := range 4 { // 8, 16, 32, 64 bits: the alignment follows from the width, and so do the lanes
		t[0x54+c] = op{shape: simdMemLane, pop: 2, push: 1, weight: weightLoad + 1, limit: uint8(c)}
		t[0x58+c] = op{shape: simdMemLane, pop: 2, weight: weightStore + 1, limit: uint8(c)}
	}
}
