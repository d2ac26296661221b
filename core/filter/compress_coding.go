package filter

import (
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxKept is the most memory for coded bytes that an idle packer or held answer keeps.
const maxKept = 1 << 20

// encoder is what the libraries have in common. None of them may run goroutines: an encoder that is not closed is simply left alone.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// coding is a content coding at one level, with its idle encoders: making one takes about a megabyte and longer than its use.
type coding struct {
	name    string
	encoder func() (encoder, error)
	idle    sync.Pool // of *packer
}

// packer is an encoder with the memory that its output goes to and its input comes through.
type packer struct {
	encoder
	out sink
	in  [16 << 10]byte
}

// sink is what an encoder writes to; it never fails.
type sink []byte

func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// get returns a packer at the beginning of its output.
func (c *coding) get() (*packer, error) {
	p, _ := c.idle.Get().(*packer)
	if p == nil {
		e, err := c.encoder()
		if err != nil {
			return nil, err
		}
		p = &packer{encoder: e}
	}
	p.out = p.out[:0]
	p.Reset(&p.out)
	return p, nil
}

// put takes a packer back, in whatever state.
func (c *coding) put(p *packer) {
	if cap(p.out) > maxKept {
		p.out = nil
	}
	c.idle.Put(p)
}

func newCoding(name, level string) (*coding, error) {
	effort, ok := map[string]int{"fast": 0, "default": 1, "best": 2}[level]
	if !ok {
		return nil, fmt.Errorf("%q is no level", level)
	}
	c := &coding{name: name}
	switch name {
	case "gzip":
		c.encoder = func() (encoder, error) { return newGzip(effort) }
	case "br":
		c.encoder = func() (encoder, error) { return newBrotli(effort), nil }
	case "zstd":
		c.encoder = func() (encoder, error) { return newZstd(effort) }
	default:
		return nil, fmt.Errorf("%q is no content coding", name)
	}
	return c, nil
}

// The levels below were measured: past them a few percent fewer bytes cost several times the work or tens of megabytes for each encoder.

func newGzip(effort int) (encoder, error) {
	return gzip.NewWriterLevel(io.Discard, [...]int{1, 5, 7}[effort])
}

func newBrotli(effort int) encoder {
	return brotli.NewWriterOptions(io.Discard, [...]brotli.WriterOptions{
		{Quality: 2, LGWin: 16}, {Quality: 4, LGWin: 18}, {Quality: 6, LGWin: 18},
	}[effort])
}

func newZstd(effort int) (encoder, error) {
	level := [...]zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBetterCompression}[effort]
	return zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(level), zstd.WithWindowSize([...]int{128 << 10, 256 << 10, 512 << 10}[effort]),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
}
