package grpc

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/core/header"
)

// frameHead is how many bytes stand before each message: a byte of flags, and the length in four.
const frameHead = 5

// trailerFlag marks the last frame of a gRPC-Web body, which holds the trailers and no message.
const trailerFlag = 0x80

// Frames follows the frames of a body, to know where they end. The zero value stands at the beginning of a body.
type Frames struct {
	head [frameHead]byte
	got  int    // bytes of the head
	left uint32 // bytes of the message still to come
}

// Skip takes the next bytes of the body, cut anywhere.
func (f *Frames) Skip(p []byte) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(uint64(len(p)), uint64(f.left))
			f.left -= uint32(n)
			p = p[n:]
			continue
		}
		n := copy(f.head[f.got:], p)
		f.got += n
		p = p[n:]
		if f.got == frameHead {
			f.left, f.got = binary.BigEndian.Uint32(f.head[1:]), 0
		}
	}
}

// Between reports whether a frame may begin here: all that have begun are complete.
func (f *Frames) Between() bool { return f.left == 0 && f.got == 0 }

// AppendTrailers adds the frame that ends a gRPC-Web body: a head, then a line "name: value" for each field, names in lower case.
func AppendTrailers(b []byte, fields []header.Field) []byte {
	start := len(b)
	b = append(b, trailerFlag, 0, 0, 0, 0)
	for _, field := range fields {
		for i := 0; i < len(field.Name); i++ {
			b = append(b, lower(field.Name[i]))
		}
		b = append(b, ": "...)
		b = append(b, field.Value...)
		b = append(b, "\r\n"...)
	}
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-frameHead))
	return b
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
