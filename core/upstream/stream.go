package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// stream is an exchange on an HTTP/2 connection.
type stream struct {
	home     *http2Transport
	x        *exchange.Exchange
	endpoint *Endpoint
	conn     *muxConn
	send     Send
	began    time.Time
	reads    uint64 // of the connection, before the stream began
	ctx      context.Context
	cancel   context.CancelFunc

	trace    httptrace.ClientTrace
	wrote    atomic.Int64 // when the head had been written, in Unix nanoseconds; 0: not yet
	upload   *feeder      // nil without content
	interims interims
	watch    watch
	body     io.ReadCloser // of the response; set under the watch's lock
	asked    atomic.Uint32 // of body, begun and ended: odd while one waits
	content  content
}

func newStream(t *http2Transport, x *exchange.Exchange, e *Endpoint, c *muxConn, send Send) *stream {
	s := &stream{home: t, x: x, endpoint: e, conn: c, send: send, began: time.Now(), reads: c.wire.reads.Load()}
	s.content.s = s
	s.trace.WroteHeaders = func() { s.wrote.Store(time.Now().UnixNano()) }
	s.trace.Got1xxResponse = s.got1xx
	ctx, cancel := context.WithCancel(context.Background())
	s.ctx, s.cancel = httptrace.WithClientTrace(ctx, &s.trace), cancel
	return s
}

// roundTrip sends the request and fills the response from its head.
func (s *stream) roundTrip() *fault.Fault {
	r := s.request()
	s.startWatch()
	resp, err := s.conn.RoundTrip(r)
	heard := s.interims.join()
	s.x.Begun = s.x.Begun || heard
	if wrote := s.wrote.Load(); wrote != 0 {
		s.x.Times.Sent = time.Unix(0, wrote)
	}
	if err != nil {
		return s.fail(err, heard)
	}
	s.x.Times.Answered = time.Now()
	if s.isOver() { // a 1xx answer could not be passed on, or the head came too late
		err = errGone
	} else {
		err = s.deliver(resp)
	}
	if err != nil {
		s.cancel()
		_ = resp.Body.Close() // the answer is of no use, whatever this says
		return s.fail(err, true)
	}
	return nil
}

// deliver fills x.Resp. After an error the caller has to empty it.
func (s *stream) deliver(resp *http.Response) error {
	out := &s.x.Resp
	if resp.StatusCode < 200 || resp.StatusCode > 999 {
		return invalid(fmt.Errorf("status %d", resp.StatusCode))
	}
	addFields(&out.Fields, resp.Header)
	if out.Fields.Len() > s.home.limits.Fields {
		return invalid(errHeadTooLarge)
	}
	length, err := contentLength(resp)
	if err != nil {
		return invalid(err)
	}
	out.Status = resp.StatusCode
	switch {
	case out.Status == 204 || out.Status == 304:
		s.finish(resp.Body)
	case s.x.Req.Method == "HEAD":
		out.Body.Length = length
		s.finish(resp.Body)
	case length == 0 && resp.Header["Content-Length"] == nil:
		s.finish(resp.Body)
	default:
		s.content.left = length
		s.content.resp = resp
		s.watch.mu.Lock()
		s.body = resp.Body
		s.watch.mu.Unlock()
		out.Body = exchange.Body{Length: length, Source: &s.content}
	}
	return nil
}

// contentLength reads Content-Length as strictly as for HTTP/1.1: the client's side may be framed by it. Where there is none, 0 says that
// the stream ended with the head.
func contentLength(resp *http.Response) (int64, error) {
	values := resp.Header["Content-Length"]
	if len(values) == 0 {
		return resp.ContentLength, nil
	}
	n, err := strconv.ParseUint(values[0], 10, 62)
	if err != nil || len(values) > 1 {
		return 0, errors.New("invalid Content-Length")
	}
	return int64(n), nil
}

// finish ends an exchange that was answered, and counts it out. What of the request is still on its way is not wanted any more.
func (s *stream) finish(body io.Closer) {
	_ = s.stopWatch() // the answer is there, whatever the watch thought
	s.cancel()
	_ = body.Close() // how the rest ends is of no interest
	_ = s.upload.join()
	s.endpoint.mux.release(s.conn)
	s.endpoint.Done()
}

// fail gives the stream up and says why; heard tells that the server has begun to answer.
func (s *stream) fail(err error, heard bool) *fault.Fault {
	cause := s.stopWatch()
	s.cancel()
	content := s.upload.join()
	if (cause == errLate || cause == errStuck) && s.conn.wire.reads.Load() == s.reads {
		s.endpoint.mux.retire(s.conn) // nothing at all has come: the other end may be gone without a word
	}
	s.endpoint.mux.release(s.conn)
	if cause == nil && content != nil {
		return content // what went wrong first: the rest follows from it
	}
	if cause != nil {
		err = cause
	} else if s.isOverdue() {
		err = errLate
	}
	return s.explain(err, heard)
}

// deadlineGrain is how much earlier than it should a server may find that a deadline it was told has passed.
const deadlineGrain = time.Millisecond

// isOverdue reports whether the Deadline of the whole answer has passed. A server that knows it too may end the stream just before it is
// ended here, and should not be blamed.
func (s *stream) isOverdue() bool { return s.send.Whole && isPast(s.send.Deadline.Add(-deadlineGrain)) }

// explain makes a fault of what ended the exchange before the response's head was there.
func (s *stream) explain(err error, heard bool) *fault.Fault {
	if f := ended(err); f != nil {
		return f
	}
	f := &fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Reason: "upstream closed the connection", Err: err}
	resendable := !heard && (s.upload.isResendable() || s.send.record.isWhole())
	switch {
	case errors.As(err, new(invalidAnswer)), isInvalid(err):
		f.Code, f.Reason = fault.UpstreamProtocol, "invalid response from upstream"
	case isRefused(err), s.wrote.Load() == 0:
		f.Reason = "upstream refused the request"
		f.Err, f.Retry = unprocessed{err}, resendable
	default:
		again := s.send.Unsafe || isIdempotent(s.x.Req.Method)
		f.Retry = resendable && again && (s.upload == nil || s.upload.whole || s.send.record.isWhole())
	}
	return f
}

// ended makes a fault of what the watch ended a stream for; nil when it is something else.
func ended(err error) *fault.Fault {
	slow := &fault.Fault{Kind: fault.GatewayTimeout, Side: fault.Upstream, Err: err}
	switch {
	case errors.Is(err, errGone):
		return fault.Wrap(fault.ClientGone, fault.Client, err)
	case errors.Is(err, errLate):
		slow.Reason = "upstream did not answer in time"
	case errors.Is(err, errStuck):
		slow.Reason = "upstream did not take the request in time"
	case errors.Is(err, errSlow):
		slow.Code, slow.Reason = fault.StreamIdle, "upstream's content took too long"
	default:
		return nil
	}
	return slow
}
