package upstream

import (
	"io"
	"sync/atomic"

	"github.com/sallyport/sallyport/core/exchange"
)

// Recording is a Source that remembers what it has brought, up to a bound, so that it can be sent again once it has come to its end. It
// holds nothing up.
type Recording struct {
	exchange.Source
	bytes  []byte // what was held at first, too
	most   int64
	length int64 // announced; negative: not
	lost   bool  // it was too much
	whole  atomic.Bool
}

// Record puts a Recording in the place of the body's Source, for content of at most so many bytes.
func Record(body *exchange.Body, most int64) *Recording {
	r := &Recording{Source: body.Source, most: most, length: body.Length, bytes: append([]byte(nil), body.Held...)}
	r.lost = int64(len(r.bytes)) > most
	body.Source = r
	return r
}

// Read brings what the Source brings, at once.
func (r *Recording) Read(p []byte) (int, error) {
	n, err := r.Source.Read(p)
	r.keep(p[:n])
	if !r.lost && (err == io.EOF || r.length >= 0 && int64(len(r.bytes)) == r.length) {
		r.whole.Store(true)
	}
	return n, err
}

func (r *Recording) keep(p []byte) {
	switch {
	case r.lost || r.whole.Load():
	case int64(len(r.bytes)+len(p)) > r.most:
		r.lost, r.bytes = true, nil
	default:
		r.bytes = append(r.bytes, p...)
	}
}

// isWhole reports whether all has come and is remembered.
func (r *Recording) isWhole() bool { return r != nil && r.whole.Load() }

// Content returns all of the content, which must not be changed, if it has come and was not too much. Any goroutine may ask.
func (r *Recording) Content() (content []byte, ok bool) {
	if !r.isWhole() {
		return nil, false
	}
	return r.bytes, true
}

// renew puts the content back that an earlier try has taken, and forgets its answer. No copier may be at it any more.
func (s *Send) renew(x *exchange.Exchange) {
	x.Resp.Reset()
	if s.record.isWhole() {
		x.Req.Body.Set(s.record.bytes)
	}
}

// isReplayable reports whether the request may be sent twice and still can be.
func (s *Send) isReplayable(r *exchange.Request) bool {
	return (s.Unsafe || isIdempotent(r.Method)) && (r.Body.Whole() || s.record.isWhole())
}
