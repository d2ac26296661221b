package plugin

import (
	"errors"
	"io"
	"sync"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// chunkSize is the most bytes of a body that a chunk hook sees at once.
const chunkSize = 16 << 10

var errAborted = errors.New("the plugin refused a piece of the content")

// chunk is a piece of a body, as a hook sees it and leaves it.
type chunk struct {
	hook  hook
	bytes []byte
	came  []byte // bytes, before the hook
	last  bool
	state []byte // of the request's chunks
	wrote []byte // room for what takes its place
}

func (c *chunk) part() part {
	if c.hook == onRequestChunk {
		return request
	}
	return response
}

func (c *chunk) isLast() uint64 {
	if c.last {
		return 1
	}
	return 0
}

func (c *chunk) replace(data []byte) {
	c.wrote = append(c.wrote[:0], data...)
	c.bytes = c.wrote
}

// stream is a body on its way through a filter's chunk hook: the Source of what comes out. That of a request is read by whoever sends it.
type stream struct {
	filter *filter
	x      *exchange.Exchange
	place  int
	inner  exchange.Body
	seat   *seat // taken before another goroutine runs the hook
	chunk  chunk
	room   []byte // what comes in
	out    []byte // has passed the hook and not been read
	err    error  // final

	close func() error // of inner, once
}

// streamRequest puts the request's body through the chunk hook. Its length is not known any more.
func (f *filter) streamRequest(x *exchange.Exchange, place int) error {
	if x.Req.Body.Empty() {
		return nil
	}
	s := f.stream(onRequestChunk, x, place, x.Req.Body)
	if f.pool.wants&abi.LeaseBound != 0 {
		seat, err := f.pool.seatOf(x, place)
		if err != nil {
			return f.unavailable(x, err)
		}
		s.seat = seat
	}
	x.Req.Body = exchange.Body{Length: exchange.Unknown, Source: s}
	return nil
}

// streamResponse does the same with the response's. An answer without content, as to HEAD, has none to look at.
func (f *filter) streamResponse(x *exchange.Exchange, place int) {
	b := &x.Resp.Body
	if lacksContent(x) || b.Empty() {
		return
	}
	*b = exchange.Body{Length: exchange.Unknown, Source: f.stream(onResponseChunk, x, place, *b)}
}

func (f *filter) stream(h hook, x *exchange.Exchange, place int, inner exchange.Body) *stream {
	s := &stream{filter: f, x: x, place: place, inner: inner, chunk: chunk{hook: h}}
	source := inner.Source // inner must not change while another goroutine reads it
	s.close = sync.OnceValue(func() error {
		if source == nil {
			return nil
		}
		return source.Close()
	})
	return s
}

// Read brings what has passed the hook.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.out) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.out, s.err = s.next()
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	if len(s.out) == 0 && s.err == io.EOF {
		return n, io.EOF
	}
	return n, nil
}

// next takes in a piece and runs the hook over it. Its error is final, io.EOF with the last piece.
func (s *stream) next() ([]byte, error) {
	if s.room == nil {
		s.room = make([]byte, chunkSize)
	}
	n, err := s.inner.Read(s.room)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if n == 0 && err == nil {
		return nil, nil
	}
	c := &s.chunk
	c.came, c.last = s.room[:n], err == io.EOF
	c.bytes = c.came
	if failure := s.pass(c); failure != nil {
		return nil, failure
	}
	return c.bytes, err
}

// pass runs the hook. A failure that is skipped lets the piece pass as it came.
func (s *stream) pass(c *chunk) error {
	result, err := s.filter.run(task{hook: c.hook, x: s.x, place: s.place, chunk: c, seat: s.seat})
	switch {
	case err != nil && s.filter.onError == chain.Skip: // it is as it came
	case err != nil:
		return err
	case result == abi.ChunkAbort:
		return &fault.Fault{Kind: fault.BadRequest, Side: fault.Plugin, Code: fault.PluginRefused, Reason: "the content was refused", Err: errAborted}
	}
	return nil
}

// Close lets go of the body that comes in. It may be called while another goroutine reads.
func (s *stream) Close() error { return s.close() }
