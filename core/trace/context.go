// Package trace is W3C Trace Context, and the spans that an exchange records when its trace is sampled.
package trace

import "math/rand/v2"

// ID names a trace. All zero is no id.
type ID [16]byte

// SpanID names a span within its trace. All zero is no id.
type SpanID [8]byte

// Flags are the trace-flags of a traceparent.
type Flags uint8

// The flags that have a meaning; others are never passed on.
const (
	Sampled Flags = 1 << iota // whoever called has recorded the trace
	Random                    // the last seven bytes of the ID are random (level 2)
)

// known are the flags of level 2.
const known = Sampled | Random

// Context is a place in a trace: what a traceparent says (https://www.w3.org/TR/trace-context/). The zero value is none.
type Context struct {
	Trace ID
	Span  SpanID
	Flags Flags
}

// IsSampled reports whether the flag is set.
func (c *Context) IsSampled() bool { return c.Flags&Sampled != 0 }

// NewID returns a random id. The runtime's generator is a ChaCha8 per thread: not to be guessed, and cheap.
func NewID() (id ID) {
	putUint64(id[:8], rand.Uint64()|1<<63) // so that it is never all zero; the bytes that have to be random are those behind
	putUint64(id[8:], rand.Uint64())
	return id
}

// NewSpanID returns a random id.
func NewSpanID() (id SpanID) {
	putUint64(id[:], rand.Uint64()|1<<63)
	return id
}

func putUint64(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (56 - 8*i))
	}
}

// The layout of version 00: version "-" trace-id "-" parent-id "-" trace-flags.
const (
	parentLength = 55
	traceAt      = 3
	spanAt       = 36
	flagsAt      = 53
)

// ParseParent reads the value of a traceparent. It reports false for what is none; then the trace begins anew. Of versions that are not
// known yet, what version 00 has is read.
func ParseParent(s string) (c Context, ok bool) {
	if len(s) < parentLength || s[2] != '-' || s[spanAt-1] != '-' || s[flagsAt-1] != '-' {
		return Context{}, false
	}
	var version, flags [1]byte
	if !readHex(version[:], s) || version[0] == 0xff || !readHex(flags[:], s[flagsAt:]) {
		return Context{}, false
	}
	if len(s) > parentLength && (version[0] == 0 || s[parentLength] != '-') {
		return Context{}, false
	}
	if !readHex(c.Trace[:], s[traceAt:]) || !readHex(c.Span[:], s[spanAt:]) || c.Trace == (ID{}) || c.Span == (SpanID{}) {
		return Context{}, false
	}
	c.Flags = Flags(flags[0]) & known
	return c, true
}

// readHex fills dst from the lower-case hex that s begins with; s is long enough.
func readHex(dst []byte, s string) bool {
	s = s[:2*len(dst)]
	for i := range dst {
		high, low := unhex(s[2*i]), unhex(s[2*i+1])
		if high|low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// unhex returns more than 15 for what is no lower-case digit.
func unhex(c byte) byte {
	if d := c - '0'; d <= 9 {
		return d
	}
	if d := c - 'a'; d <= 5 {
		return d + 10
	}
	return 255
}

// AppendParent appends the value of a traceparent, in version 00.
func (c *Context) AppendParent(b []byte) []byte {
	text := [parentLength]byte{0: '0', 1: '0', traceAt - 1: '-', spanAt - 1: '-', flagsAt - 1: '-', flagsAt: '0', flagsAt + 1: '0' + byte(c.Flags&known)}
	putHex(text[traceAt:spanAt-1], c.Trace[:])
	putHex(text[spanAt:flagsAt-1], c.Span[:])
	return append(b, text[:]...)
}

// AppendTo appends the id in hex.
func (id *ID) AppendTo(b []byte) []byte { return appendHex(b, id[:]) }

// AppendTo appends the id in hex.
func (id *SpanID) AppendTo(b []byte) []byte { return appendHex(b, id[:]) }

func appendHex(b, id []byte) []byte {
	var room [2 * len(ID{})]byte
	putHex(room[:2*len(id)], id)
	return append(b, room[:2*len(id)]...)
}

// putHex writes as many bytes as dst has room for.
func putHex(dst, id []byte) {
	const digits = "0123456789abcdef"
	for i, c := range id[:len(dst)/2] {
		dst[2*i], dst[2*i+1] = digits[c>>4], digits[c&15]
	}
}

// Share is a share of all traces, from none to all.
type Share uint64

// NewShare returns the share that a number from 0 to 1 stands for.
func NewShare(ratio float64) Share { return Share(ratio * (1 << 56)) }

// Has reports whether a new trace is among the share: by the random bytes of its id, so that whoever asks finds the same.
func (s Share) Has(id *ID) bool {
	var n Share
	for _, c := range id[9:] {
		n = n<<8 | Share(c)
	}
	return n < s
}
