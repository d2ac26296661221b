package engine

import (
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// respond writes the answer in x.Resp; it reports whether that is whole.
func (s *http2Stream) respond(x *exchange.Exchange) (whole bool) {
	s.answering = true
	r := &x.Resp
	if r.Status < 200 || r.Status > 999 {
		x.Fail(fault.Wrap(fault.Internal, fault.Gateway, errNoAnswer))
		r.Reset()
		r.Status = fault.Internal.Status()
	}
	if x.Unanswered() {
		_ = r.Body.Close() // nobody gets it
		return false
	}
	s.slow.act = s.giveUp
	content := x.Req.Method != "HEAD" && r.Status != 204 && r.Status != 304
	s.writeHead(x, content)
	if content {
		if f := s.writeContent(x); f != nil {
			x.Fail(f)
			return false
		}
		fill(s.w.Header(), &r.Trailers, http.TrailerPrefix, http1.MayTrail)
	}
	_ = r.Body.Close() // all of it is written: how its source ends is of no interest to the client
	return true
}

// giveUp resets the stream, of which a write takes too long.
func (s *http2Stream) giveUp() {
	_ = http.NewResponseController(s.w).SetWriteDeadline(longAgo) // net/http has no other way; it cannot fail
}

// writeHead hands over the answer's head, which goes out with the first content.
func (s *http2Stream) writeHead(x *exchange.Exchange, content bool) {
	r, h := &x.Resp, s.w.Header()
	fill(h, &r.Fields, "", http1.EndToEnd)
	if _, ok := h["Date"]; !ok {
		h["Date"] = []string{s.conn.engine.date(time.Now())}
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // else net/http would guess one
	}
	length := r.Body.Length
	if content {
		length = contentLength(&r.Body)
	}
	if length >= 0 && r.Status != 204 && r.Status != 304 {
		h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	s.w.WriteHeader(r.Status)
}

// contentLength returns how much content will be written of b, -1 when that is not known.
func contentLength(b *exchange.Body) int64 {
	if b.Source == nil {
		return int64(len(b.Held))
	}
	return b.Length
}

// writeContent writes the answer's content. What it leaves with net/http goes out when the stream's goroutine returns, which
// puts its end into the same frame.
func (s *http2Stream) writeContent(x *exchange.Exchange) *fault.Fault {
	b := &x.Resp.Body
	length := contentLength(b)
	held := b.Rest()
	if length >= 0 && int64(len(held)) > length {
		held = held[:length]
	}
	if b.Whole() {
		return s.putHeld(x, held)
	}
	// What is here goes out before the Source is asked: it may take its time.
	if f := s.put(x, held); f != nil {
		return f
	}
	left := int64(-1)
	if length >= 0 {
		left = length - x.Sent
	}
	return s.stream(x, b.Source, left)
}

// stream writes what source brings as it comes, each read at once; left is how much that is to be, -1 when it is not known. It
// reads to the source's end even so: trailers come with that.
func (s *http2Stream) stream(x *exchange.Exchange, source exchange.Source, left int64) *fault.Fault {
	p := s.conn.engine.pages.get()
	defer s.conn.engine.pages.put(p)
	for empty := 0; ; {
		n, err := source.Read(p[:])
		if left >= 0 && int64(n) > left {
			return &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Code: fault.UpstreamProtocol, Err: errTooMuch}
		}
		if n > 0 {
			empty = 0
			if f := s.put(x, p[:n]); f != nil {
				return f
			}
		} else if empty++; err == nil && empty == emptyReads {
			err = io.ErrNoProgress
		}
		left -= min(int64(n), max(left, 0))
		switch {
		case err == io.EOF && left > 0:
			return fault.Wrap(fault.BadGateway, fault.Upstream, errTooLittle)
		case err == io.EOF:
			return nil
		case err != nil:
			return asUpstream(err)
		}
	}
}

// lastPiece is what net/http's own buffer takes.
const lastPiece = 4 << 10

// putHeld writes content that is all there. What fits net/http's buffer it writes when the stream's goroutine has returned and
// nobody here watches any more, hence the deadline.
func (s *http2Stream) putHeld(x *exchange.Exchange, p []byte) *fault.Fault {
	for len(p) > lastPiece {
		n := min(len(p), pageSize)
		if f := s.put(x, p[:n]); f != nil {
			return f
		}
		p = p[n:]
	}
	if len(p) == 0 {
		return nil
	}
	if s.Gone() { // then net/http would keep the deadline's timer, and the connection with it
		return fault.Wrap(fault.ClientGone, fault.Client, s.r.Context().Err())
	}
	deadline := http.NewResponseController(s.w)
	_ = deadline.SetWriteDeadline(time.Now().Add(s.BodyTimeout())) // it cannot fail
	_, err := s.w.Write(p)
	if err == nil {
		err = s.r.Context().Err()
	}
	if err != nil {
		_ = deadline.SetWriteDeadline(time.Time{})
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	}
	x.Sent += int64(len(p))
	return nil
}

// put writes p, or the head when that is empty, and lets nothing of it wait.
func (s *http2Stream) put(x *exchange.Exchange, p []byte) *fault.Fault {
	s.slow.begin(s.BodyTimeout())
	defer s.slow.end()
	_, err := s.w.Write(p)
	if err == nil {
		err = http.NewResponseController(s.w).Flush()
	}
	if err != nil {
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	}
	x.Sent += int64(len(p))
	return nil
}

// fill puts the fields of names that may be there into h, whose keys get the prefix.
func fill(h http.Header, fields *header.Fields, prefix string, may func(name string) bool) {
	values := make([]string, fields.Len())
	for i, field := range fields.All() {
		if !may(field.Name) {
			continue
		}
		key := textproto.CanonicalMIMEHeaderKey(field.Name)
		if prefix != "" {
			key = prefix + key
		}
		if had := h[key]; had != nil {
			h[key] = append(had, field.Value)
			continue
		}
		values[i] = field.Value
		h[key] = values[i : i+1 : i+1]
	}
}
