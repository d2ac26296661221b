package upstream

import (
	"io"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// content is the Source of an answer's content on an HTTP/2 stream. Its Close ends the exchange's use of the stream.
type content struct {
	s       *stream
	resp    *http.Response
	left    int64 // bytes to come; negative: not announced
	watched bool  // somebody has begun to wait for content
	done    bool  // the content and what follows it have come
	broken  error // how it ended too early
}

// Read brings more content. A stream that ends too early is a fault, never an end.
func (c *content) Read(p []byte) (int, error) {
	switch {
	case c.broken != nil:
		return 0, c.broken
	case c.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if !c.watched {
		c.watched = true
		c.s.watchContent()
	}
	n, err := c.read(p)
	switch {
	case err == io.EOF:
		c.end()
		return n, io.EOF
	case err != nil:
		c.broken = c.breakOff(err)
		return n, c.broken
	}
	return n, nil
}

func (c *content) read(p []byte) (int, error) {
	c.s.asked.Add(1)
	n, err := c.s.body.Read(p)
	c.s.asked.Add(1)
	if c.left >= 0 {
		c.left -= int64(n)
	}
	return n, err
}

// end takes in the trailers.
func (c *content) end() {
	c.done = true
	for name, values := range c.resp.Trailer {
		for _, value := range values {
			if field := (header.Field{Name: name, Value: value}); http1.PassesBehind(field) {
				c.s.x.Resp.Trailers.Add(name, value)
			}
		}
	}
}

// breakOff makes a fault of what ended the content too early.
func (c *content) breakOff(err error) error {
	cause := c.s.stopWatch()
	if f := c.s.upload.join(); f != nil && cause == nil {
		return f // the request's content has failed, and the answer with it
	}
	if cause == nil && c.s.isOverdue() {
		cause = errLate
	}
	if cause != nil {
		if f := ended(cause); f != nil {
			if f.Code == fault.NoCode && f.Kind == fault.GatewayTimeout {
				f.Code = fault.TimeOver // the head was in time
			}
			return f
		}
	}
	return fault.Wrap(fault.BadGateway, fault.Upstream, err)
}

// Close ends the stream. It is called once.
func (c *content) Close() error {
	if !c.done && c.broken == nil && c.left == 0 {
		c.settle()
	}
	c.s.finish(c.s.body)
	return nil
}

// settle waits for the end behind the last announced byte, so that the stream is not reset for nothing.
func (c *content) settle() {
	late := time.AfterFunc(settleTime, func() {
		c.s.end(errSlow)
		_ = c.s.body.Close() // wakes up the Read below
	})
	defer late.Stop()
	var none [1]byte
	_, _ = c.s.body.Read(none[:])
}
