package exchange

import "unsafe"

// textChunk is the room taken from the heap at once; a text longer than a quarter of it gets its own.
const textChunk = 16 << 10

// Text makes strings out of bytes at less than one allocation each: it cuts them off a chunk.
// A chunk's bytes are written once and never again, so the strings are as immutable as any other and may
// outlive the Exchange; they only keep their chunk from being collected.
type Text struct {
	room []byte
}

// Copy returns b's bytes as a string of their own.
func (t *Text) Copy(b []byte) string {
	n := len(b)
	if n == 0 {
		return ""
	}
	if n > len(t.room) {
		if n > textChunk/4 {
			return string(b)
		}
		t.room = make([]byte, textChunk)
	}
	copy(t.room, b)
	s := unsafe.String(unsafe.SliceData(t.room), n)
	t.room = t.room[n:]
	return s
}
