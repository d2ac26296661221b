package http1

import (
	"strconv"

	"github.com/sallyport/sallyport/core/header"
)

const (
	badChunk      refusal = "invalid chunk"
	chunkTooLarge refusal = "chunk size too large"
	longExtension refusal = "chunk extensions too long"
	longTrailers  refusal = "trailer section too large"
)

// What a chunked body may have besides its content.
const (
	maxChunkDigits   = 16
	maxExtensions    = 16 << 10 // bytes, of one body
	maxTrailers      = 8 << 10  // bytes
	maxTrailerFields = 64
)

// chunkState is what a Dechunker expects next.
type chunkState uint8

const (
	chunkSize      chunkState = iota // the first digit of a size
	chunkDigits                      // more digits, or what ends them
	chunkExtension                   // an extension's bytes
	chunkSizeLF                      // the LF of the size line
	chunkData                        // content
	chunkDataCR                      // the CR behind the content
	chunkDataLF                      // the LF behind the content
	chunkTrailers                    // trailer lines, up to an empty one
	chunkDone                        // nothing more
)

// Dechunker decodes a body in the chunked coding (RFC 9112, section 7.1) piece by piece. The zero value is ready for
// a body. It belongs to one goroutine.
type Dechunker struct {
	state      chunkState
	digits     int
	left       uint64 // of the chunk
	extensions int    // bytes so far, of the whole body
	trailers   []byte // the trailer section so far
	line       int    // where in trailers the last line begins
}

// Reset makes d ready for another body.
func (d *Dechunker) Reset() { *d = Dechunker{trailers: d.trailers[:0]} }

// Decode decodes src into dst until src is used up, dst is full or the body has ended; done reports the latter. It returns how
// many bytes it wrote and how many of src it used. dst may begin where src begins. At the end the trailer fields are
// added to trailers, but for those that must not stand there; trailers may be nil. An error is final.
func (d *Dechunker) Decode(dst, src []byte, trailers *header.Fields) (written, consumed int, done bool, err error) {
	for consumed < len(src) && d.state != chunkDone {
		if d.state == chunkData {
			n := copy(dst[written:], src[consumed:min(uint64(len(src)), uint64(consumed)+d.left)])
			if n == 0 {
				break // dst is full
			}
			written += n
			consumed += n
			if d.left -= uint64(n); d.left == 0 {
				d.state = chunkDataCR
			}
			continue
		}
		c := src[consumed]
		consumed++
		if why := d.step(c, trailers); why != accepted {
			return written, consumed, false, why
		}
	}
	return written, consumed, d.state == chunkDone, nil
}

// step takes one byte that is not content.
func (d *Dechunker) step(c byte, trailers *header.Fields) refusal {
	switch d.state {
	case chunkSize, chunkDigits:
		return d.stepDigit(c)
	case chunkExtension:
		return d.stepExtension(c)
	case chunkSizeLF:
		return d.stepSizeEnd(c)
	case chunkDataCR:
		d.state = chunkDataLF
		return expect(c, '\r')
	case chunkDataLF:
		d.state, d.digits = chunkSize, 0
		return expect(c, '\n')
	}
	return d.stepTrailer(c, trailers)
}

func expect(c, want byte) refusal {
	if c != want {
		return badChunk
	}
	return accepted
}

func (d *Dechunker) stepDigit(c byte) refusal {
	switch {
	case octets[c]&isHex != 0:
		if d.digits++; d.digits > maxChunkDigits || d.left >= 1<<58 {
			return chunkTooLarge
		}
		d.left = d.left<<4 | uint64(unhex(c))
		d.state = chunkDigits
	case d.state == chunkSize:
		return badChunk
	case c == '\r':
		d.state = chunkSizeLF
	case c == ';':
		d.state = chunkExtension
	default: // whitespace too: the grammar allows it before an extension, nobody sends it
		return badChunk
	}
	return accepted
}

func (d *Dechunker) stepExtension(c byte) refusal {
	if d.extensions++; d.extensions > maxExtensions {
		return longExtension
	}
	switch {
	case c == '\r':
		d.state = chunkSizeLF
	case octets[c]&isExtension == 0:
		return badChunk
	}
	return accepted
}

func (d *Dechunker) stepSizeEnd(c byte) refusal {
	d.state = chunkData
	if d.left == 0 {
		d.state = chunkTrailers
	}
	return expect(c, '\n')
}

// stepTrailer gathers the trailer section and parses it as a whole once its empty line is there.
func (d *Dechunker) stepTrailer(c byte, trailers *header.Fields) refusal {
	if len(d.trailers) == maxTrailers {
		return longTrailers
	}
	d.trailers = append(d.trailers, c)
	if c != '\n' {
		return accepted
	}
	line := d.trailers[d.line:]
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return bareLF
	}
	d.line = len(d.trailers)
	if len(line) > 2 {
		return accepted
	}
	d.state = chunkDone
	if len(d.trailers) == 2 {
		return accepted
	}
	return parseTrailers(string(d.trailers), trailers)
}

// AppendChunk appends data as one chunk; no data is no chunk, since an empty one would end the body.
func AppendChunk(dst, data []byte) []byte {
	if len(data) == 0 {
		return dst
	}
	dst = AppendChunkSize(dst, len(data))
	dst = append(dst, data...)
	return append(dst, "\r\n"...)
}

// AppendChunkSize appends the line that begins a chunk of size bytes. Behind them a CR LF must follow.
func AppendChunkSize(dst []byte, size int) []byte {
	dst = strconv.AppendUint(dst, uint64(size), 16)
	return append(dst, "\r\n"...)
}

// AppendLastChunk appends the end of a chunked body with its trailer fields, but for those that must not stand there;
// trailers may be nil.
func AppendLastChunk(dst []byte, trailers *header.Fields) []byte {
	dst = append(dst, "0\r\n"...)
	if trailers != nil {
		for _, field := range trailers.All() {
			if MayTrail(field.Name) {
				dst = AppendField(dst, field.Name, field.Value)
			}
		}
	}
	return append(dst, "\r\n"...)
}
