package engine

import (
	"errors"
	"time"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

var errNoInterim = errors.New("the final answer has begun")

// Gone implements exchange.Client. Any goroutine may call it until the exchange ends.
func (c *conn) Gone() bool {
	return c.isCut.Load() || c.raw != nil && hungUp(c.raw)
}

// BodyTimeout is how long a body may make no progress; who sends the request on asks for it, and who reads the answer when Exchange.Idle is 0.
func (c *conn) BodyTimeout() time.Duration { return c.options().BodyTimeout }

// Interim implements exchange.Client. HTTP/1.0 clients know no 1xx and get none; 100 is sent to those only that wait
// for it, and once.
func (c *conn) Interim(status int, fields *header.Fields) error {
	switch {
	case c.http10, status == 100 && c.body == nil, status == 101:
		return nil
	case status == 100:
		return c.sendContinue(c.body)
	}
	if fields == nil {
		fields = &header.Fields{}
	}
	p := c.engine.pages.get()
	defer c.engine.pages.put(p)
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.answering {
		return errNoInterim
	}
	head := http1.AppendResponseHead(p[:0], status, fields, http1.Framing{}, true, false, "", "")
	return c.out.send(head, time.Now(), c.options().BodyTimeout)
}

// sendContinue asks for the content, if the client waits for that.
func (c *conn) sendContinue(b *body) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if !b.expect.Load() {
		return nil
	}
	if c.answering {
		return errNoInterim
	}
	b.expect.Store(false)
	return c.out.send([]byte("HTTP/1.1 100 Continue\r\n\r\n"), time.Now(), c.options().BodyTimeout)
}
