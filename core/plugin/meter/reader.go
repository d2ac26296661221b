package meter

import (
	"fmt"
	"unicode/utf8"
)

// Error says why a module is refused and where. Func is the function's index in the module's own count, or -1 outside
// of code; Offset counts bytes from the file's start.
type Error struct {
	Section string
	Func    int
	Offset  int
	Msg     string
}

// Error names the section, the function if there is one, the offset, and what is wrong.
func (e *Error) Error() string {
	if e.Func < 0 {
		return fmt.Sprintf("wasm: %s section at 0x%x: %s", e.Section, e.Offset, e.Msg)
	}
	return fmt.Sprintf("wasm: %s section, function %d at 0x%x: %s", e.Section, e.Func, e.Offset, e.Msg)
}

// reader walks a part of the module. Offsets are those of the file. The first failure sticks and ends the input, so
// that callers look at bad once per item and not after every byte.
type reader struct {
	b       []byte // the file up to the part's end
	pos     int
	section string
	fn      int
	bad     *Error
}

func (r *reader) failAt(at int, format string, args ...any) {
	if r.bad == nil {
		r.bad = &Error{r.section, r.fn, at, fmt.Sprintf(format, args...)}
	}
	r.pos = len(r.b)
}

func (r *reader) fail(format string, args ...any) { r.failAt(r.pos, format, args...) }

func (r *reader) more() bool { return r.pos < len(r.b) }

func (r *reader) u8() byte {
	if r.pos < len(r.b) {
		r.pos++
		return r.b[r.pos-1]
	}
	r.fail("unexpected end")
	return 0
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.pos) {
		r.fail("%d bytes wanted, %d left", n, len(r.b)-r.pos)
		return nil
	}
	r.pos += int(n)
	return r.b[r.pos-int(n) : r.pos]
}

// u32 reads an unsigned LEB128 of at most 32 bits in at most five bytes.
func (r *reader) u32() uint32 {
	if r.pos < len(r.b) && r.b[r.pos] < 0x80 {
		r.pos++
		return uint32(r.b[r.pos-1])
	}
	return r.longU32()
}

func (r *reader) longU32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.u8()
		if shift == 28 && c > 0x0f {
			r.fail("integer too large")
			return 0
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	return v
}

// signed reads a signed LEB128 of the given number of bits; unused bits of the last byte must repeat the sign.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; ; shift += 7 {
		c := r.u8()
		v |= int64(c&0x7f) << shift
		if left := bits - shift; left <= 7 && !signFits(c, left) {
			r.fail("integer too large")
			return 0
		}
		if c >= 0x80 {
			continue
		}
		if shift < 57 && c&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
		return v
	}
}

// signFits says whether c may be the last byte of an integer that has n of its bits left.
func signFits(c byte, n int) bool {
	top := int8(c<<1) >> n // the sign bit and the unused ones above it
	return c < 0x80 && (top == 0 || top == -1)
}

// index reads an index that must be below count.
func (r *reader) index(what string, count int) uint32 {
	at := r.pos
	i := r.u32()
	if uint64(i) >= uint64(count) {
		r.failAt(at, "%s %d of %d", what, i, count)
		return 0
	}
	return i
}

// count reads the length of a vector whose items take at least size bytes each, so that a lie costs no memory.
func (r *reader) count(size int) int {
	at := r.pos
	n := r.u32()
	if uint64(n)*uint64(size) > uint64(len(r.b)-r.pos) {
		r.failAt(at, "%d items do not fit", n)
		return 0
	}
	return int(n)
}

// atMost reads a count as count does, of what there must not be more than most.
func (r *reader) atMost(most, size int, what string) int {
	at := r.pos
	n := r.count(size)
	if n > most {
		r.failAt(at, "%d %s, %d allowed", n, what, most)
		return 0
	}
	return n
}

func (r *reader) name() string {
	at := r.pos
	b := r.take(r.u32())
	if !utf8.Valid(b) {
		r.failAt(at, "name is not UTF-8")
	}
	return string(b)
}

func (r *reader) end() {
	if r.bad == nil && r.pos != len(r.b) {
		r.fail("%d bytes too many", len(r.b)-r.pos)
	}
}
