package engine

import (
	"errors"
	"io"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

// answer is an answer being written.
type answer struct {
	c       *conn
	x       *exchange.Exchange
	page    *page
	buf     []byte // to be written: at first the head, in page unless that is too small
	framing http1.Framing
	now     time.Time
}

// write writes head and content.
func (a *answer) write(content bool) *fault.Fault {
	switch {
	case !content:
		return a.flush()
	case a.framing.Chunked:
		return a.writeChunked()
	}
	b := &a.x.Resp.Body
	held := b.Rest()
	if n := a.framing.Length; n >= 0 && int64(len(held)) > n {
		held = held[:n]
	}
	if f := a.put(held); f != nil {
		return f
	}
	if f := a.flush(); f != nil {
		return f
	}
	a.x.Sent += int64(len(held))
	if b.Whole() {
		return nil
	}
	return a.stream(b.Source)
}

func (a *answer) writeChunked() *fault.Fault {
	b := &a.x.Resp.Body
	if held := b.Rest(); len(held) > 0 {
		a.buf = http1.AppendChunkSize(a.buf, len(held))
		if f := a.put(held); f != nil {
			return f
		}
		a.buf = append(a.buf, "\r\n"...)
		a.x.Sent += int64(len(held))
	}
	if b.Whole() {
		a.buf = http1.AppendLastChunk(a.buf, &a.x.Resp.Trailers)
		return a.flush()
	}
	// What is here goes out before the Source is asked: it may take its time.
	if f := a.flush(); f != nil {
		return f
	}
	return a.stream(b.Source)
}

// put appends p to what is to be written when there is room, else writes: the room filled up first, the rest
// without copying it.
func (a *answer) put(p []byte) *fault.Fault {
	n := copy(a.buf[len(a.buf):cap(a.buf)], p)
	a.buf = a.buf[:len(a.buf)+n]
	if n == len(p) {
		return nil
	}
	if f := a.flush(); f != nil {
		return f
	}
	return a.send(p[n:])
}

func (a *answer) flush() *fault.Fault {
	buf := a.buf
	a.buf = a.buf[:0]
	if len(buf) == 0 {
		return nil
	}
	return a.send(buf)
}

func (a *answer) send(p []byte) *fault.Fault {
	if err := a.c.out.send(p, a.now, a.c.options().BodyTimeout); err != nil {
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	}
	return nil
}

const (
	chunkLine  = 6  // bytes of the longest line that begins a chunk: a page has less than 0x10000
	chunkSpare = 64 // bytes behind a chunk for its end and, mostly, the body's
	emptyReads = 100
)

// stream writes what source brings as it comes, each read at once.
func (a *answer) stream(source exchange.Source) *fault.Fault {
	left := int64(-1)
	if a.framing.Length >= 0 {
		left = a.framing.Length - a.x.Sent
	}
	if done, f := a.splice(source, left); done {
		return f
	}
	for empty := 0; left != 0; {
		n, err := source.Read(a.page[chunkLine : pageSize-chunkSpare])
		a.now = time.Now()
		if left >= 0 && int64(n) > left {
			return &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Code: fault.UpstreamProtocol, Err: errTooMuch}
		}
		if f := a.pass(n, err == io.EOF); f != nil {
			return f
		}
		left -= min(int64(n), max(left, 0))
		switch {
		case err == io.EOF && left > 0:
			return fault.Wrap(fault.BadGateway, fault.Upstream, errTooLittle)
		case err == io.EOF:
			return nil
		case err != nil:
			return asUpstream(err)
		case n > 0:
			empty = 0
		default:
			if empty++; empty == emptyReads {
				return asUpstream(io.ErrNoProgress)
			}
		}
	}
	return nil
}

// pass writes the n bytes of content that were read into the page; last says that there are no more.
func (a *answer) pass(n int, last bool) *fault.Fault {
	start, out := chunkLine, a.page[chunkLine:chunkLine+n]
	if a.framing.Chunked {
		if n > 0 {
			var line [chunkLine]byte
			size := http1.AppendChunkSize(line[:0], n)
			start -= copy(a.page[chunkLine-len(size):], size)
			out = append(a.page[start:chunkLine+n], "\r\n"...)
		}
		if last {
			out = http1.AppendLastChunk(out, &a.x.Resp.Trailers)
		}
	}
	a.x.Sent += int64(n)
	if len(out) == 0 {
		return nil
	}
	return a.send(out)
}

// asUpstream returns the Fault in a Source's error, or blames the upstream.
func asUpstream(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.Wrap(fault.BadGateway, fault.Upstream, err)
}
