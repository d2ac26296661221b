package filter

import (
	"errors"
	"io"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
)

var (
	errTooMuch = errors.New("more content than its length says")
	errClosed  = errors.New("compressed content is closed")
)

// streamSource compresses what another Source brings. When that fails, the coded content breaks off as well: it is never given an end
// that a decoder would take for the content's.
type streamSource struct {
	c        *Compress
	coding   *coding
	packer   *packer // nil once it is given back
	source   exchange.Source
	held     []byte // content that comes before the source's
	left     int64  // content still to come; -1: unknown, then nothing may be held back
	given    int    // how much of the packer's output has been read
	trailers *header.Fields
	err      error // what comes behind the output
}

// compressStream puts the compressing before the Source of a body; false when too many are being compressed.
func (c *Compress) compressStream(coding *coding, x *exchange.Exchange) (bool, error) {
	if c.streams.Add(1) > c.max {
		c.streams.Add(-1)
		return false, nil
	}
	p, err := coding.get()
	if err != nil {
		c.streams.Add(-1)
		return false, err
	}
	b := &x.Resp.Body
	s := &streamSource{c: c, coding: coding, packer: p, source: b.Source, held: b.Rest(), left: b.Length, trailers: &x.Resp.Trailers}
	*b = exchange.Body{Length: exchange.Unknown, Source: s}
	return true, nil
}

// Read brings coded content; errors of the Source come as they are, behind what came before them.
func (s *streamSource) Read(p []byte) (int, error) {
	for s.packer != nil && len(p) > 0 {
		n := copy(p, s.packer.out[s.given:])
		s.given += n
		drained := s.given == len(s.packer.out)
		switch {
		case drained && s.err != nil:
			s.giveBack()
			return n, s.err
		case n > 0:
			return n, nil
		}
		s.packer.out, s.given = s.packer.out[:0], 0
		if !s.pack() {
			return 0, nil
		}
	}
	return 0, s.err
}

// pack compresses one more piece; false when none came.
func (s *streamSource) pack() bool {
	piece, err := s.next()
	if s.left >= 0 {
		if s.left -= int64(len(piece)); s.left < 0 {
			s.err = &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Code: fault.UpstreamProtocol, Err: errTooMuch}
			return true
		}
		if s.left == 0 && err == nil {
			err = io.EOF
		}
	}
	_, failed := s.packer.Write(piece)
	switch {
	case err == io.EOF && s.left > 0:
		err = fault.Wrap(fault.BadGateway, fault.Upstream, io.ErrUnexpectedEOF)
		failed = errors.Join(failed, s.packer.Flush())
	case err == io.EOF:
		failed = errors.Join(failed, s.packer.Close())
		removeDigests(s.trailers)
	case err != nil || s.left < 0 && len(piece) > 0 && len(s.held) == 0:
		failed = errors.Join(failed, s.packer.Flush())
	}
	if s.err = err; failed != nil {
		s.err = failed
	}
	return err != nil || len(piece) > 0
}

// next returns the next piece of content, valid until the next call.
func (s *streamSource) next() ([]byte, error) {
	in := s.packer.in[:]
	if len(s.held) > 0 {
		piece := s.held[:min(len(s.held), len(in))]
		s.held = s.held[len(piece):]
		return piece, nil
	}
	n, err := s.source.Read(in)
	return in[:n], err
}

// giveBack returns the packer, once.
func (s *streamSource) giveBack() {
	if s.packer == nil {
		return
	}
	s.coding.put(s.packer)
	s.packer, s.held = nil, nil
	s.c.streams.Add(-1)
}

// Close lets go of the Source.
func (s *streamSource) Close() error {
	s.giveBack()
	if s.err == nil {
		s.err = errClosed
	}
	return s.source.Close()
}
