package engine

import "sync"

const pageSize = 16 << 10

// page is the memory that bytes are read into and answers are put together in.
type page [pageSize]byte

// pages lends pages. The zero value is ready; it may be used by many goroutines.
type pages struct {
	free sync.Pool
}

func (p *pages) get() *page {
	if one, _ := p.free.Get().(*page); one != nil {
		return one
	}
	return new(page)
}

func (p *pages) put(one *page) {
	if one != nil {
		p.free.Put(one)
	}
}

// input is what was read from a connection and not used yet: buf[r:w]. It holds no memory while nothing is there.
type input struct {
	page    *page // that buf lies in; nil when buf is larger or none
	kept    *page // an earlier one that a request's held content lies in
	buf     []byte
	r, w    int
	floor   int // below it lies held content of the running exchange
	scanned int // bytes after r that hold no head's end
}

func (in *input) bytes() []byte { return in.buf[in.r:in.w] }

func (in *input) empty() bool { return in.r == in.w }

// full reports whether the last read took all the room that there was.
func (in *input) full() bool { return in.w == len(in.buf) }

// take returns the first n bytes as used.
func (in *input) take(n int) []byte {
	b := in.buf[in.r : in.r+n]
	in.r += n
	return b
}

// room makes sure of space behind w, for a head of at most limit bytes and one more.
func (in *input) room(pages *pages, limit int) {
	switch {
	case in.buf == nil:
		in.page = pages.get()
		in.buf = in.page[:]
	case !in.full():
	case in.r > 0:
		in.w = copy(in.buf, in.bytes())
		in.r = 0
	default:
		larger := make([]byte, max(min(2*len(in.buf), limit+1), len(in.buf)+1))
		copy(larger, in.bytes())
		pages.put(in.page)
		in.page, in.buf = nil, larger
	}
}

// roomForContent makes sure of a good space behind held content, all bytes being used.
func (in *input) roomForContent(pages *pages) {
	in.r, in.w = in.floor, in.floor
	if len(in.buf)-in.floor >= pageSize/4 {
		return
	}
	if in.kept == nil {
		in.kept = in.page // a larger one is left to the collector
	}
	in.page = pages.get()
	in.buf, in.r, in.w, in.floor = in.page[:], 0, 0, 0
}

// rewind lets go of held content: the exchange has ended.
func (in *input) rewind(pages *pages) {
	pages.put(in.kept)
	in.kept, in.floor, in.scanned = nil, 0, 0
	if in.empty() {
		in.r, in.w = 0, 0
	}
}

// release gives the memory back when nothing is in it.
func (in *input) release(pages *pages) {
	if in.empty() {
		pages.put(in.page)
		*in = input{}
	}
}
