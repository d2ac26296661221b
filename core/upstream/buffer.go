package upstream

import "sync"

const (
	// bufferSize holds most heads, and small answers whole.
	bufferSize = 8 << 10
	// maxKeptBuffer is the largest buffer that is used again; also the most that goes out in the first write.
	maxKeptBuffer = 32 << 10
	// copySize is how much of a long request body is sent at once.
	copySize = 32 << 10
)

// buffer is a piece of memory that exchanges lend from a pool; connections without one in progress hold none.
type buffer struct {
	b []byte
}

type bufferPool struct {
	free sync.Pool
	size int
}

func (p *bufferPool) get() *buffer {
	if b, ok := p.free.Get().(*buffer); ok {
		return b
	}
	return &buffer{b: make([]byte, p.size)}
}

func (p *bufferPool) put(b *buffer) {
	if cap(b.b) <= maxKeptBuffer {
		b.b = b.b[:cap(b.b)]
		p.free.Put(b)
	}
}

// grow makes b twice as long and keeps its first n bytes.
func (b *buffer) grow(n int) {
	larger := make([]byte, 2*len(b.b))
	copy(larger, b.b[:n])
	b.b = larger
}
