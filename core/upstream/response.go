package upstream

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/http1"
)

var errUnasked = errors.New("101 without having been asked for that protocol")

// deliver fills x.Resp from the final head and what has already come behind it.
func (c *conn) deliver(head *http1.ResponseHead) *fault.Fault {
	if head.Status == 101 {
		return c.deliverTunnel(head)
	}
	resp := &c.x.Resp
	if err := c.deliverContent(head, &resp.Body); err != nil {
		resp.Body = exchange.Body{}
		return c.fail(invalid(err))
	}
	resp.Status = head.Status
	if c.answer.done && len(resp.Body.Held) == 0 && c.copier == nil && resp.Trailers.Len() == 0 {
		_ = c.answer.Close() // nothing is left to bring; it never fails
		return nil
	}
	resp.Body.Source = &c.answer
	return nil
}

// deliverContent sets body to what is at hand and the answer to what is still to come.
func (c *conn) deliverContent(head *http1.ResponseHead, body *exchange.Body) error {
	a, at := &c.answer, c.unread()
	a.ends = a.ends || !head.KeepAlive
	switch {
	case head.Bodyless:
		*body = exchange.Body{Length: head.Length}
		a.done, a.ends = true, a.ends || len(at) > 0
	case head.Chunked:
		return a.beginChunked(at, body)
	case head.UntilClose:
		*body = exchange.Body{Length: exchange.Unknown, Held: at}
		a.kind = untilClose
	default:
		*body = exchange.Body{Length: head.Length, Held: at[:min(int64(len(at)), head.Length)]}
		a.kind, a.left = byLength, head.Length-int64(len(body.Held))
		a.done = a.left == 0
		a.ends = a.ends || len(at) > len(body.Held)
	}
	return nil
}

// beginChunked decodes what is at hand where it lies. A body that is all there goes on with its length, unless it has trailers.
func (a *answer) beginChunked(at []byte, body *exchange.Body) error {
	a.kind = byChunks
	held, err := a.decode(at)
	if err != nil {
		return err
	}
	*body = exchange.Body{Length: exchange.Unknown, Held: at[:held]}
	if a.done && a.c.x.Resp.Trailers.Len() == 0 {
		body.Length = int64(held)
	}
	return nil
}

// deliverTunnel hands over the connection after a change of protocol.
func (c *conn) deliverTunnel(head *http1.ResponseHead) *fault.Fault {
	x := c.x
	if x.Req.Upgrade == "" || !strings.EqualFold(head.Upgrade, x.Req.Upgrade) || c.copier != nil && !c.copier.isWhole() {
		return c.fail(invalid(errUnasked))
	}
	t, err := newTunnel(c.Conn, c.endpoint)
	if err != nil {
		return c.fail(err)
	}
	x.Resp.Status = head.Status
	// A tunnel may last for days: what is usually nothing gets memory of its own, and the buffer goes back.
	if early := append([]byte(nil), c.unread()...); len(early) > 0 {
		x.Resp.Body = exchange.Body{Length: int64(len(early)), Held: early}
	}
	x.Resp.Tunnel = t
	if c.copier != nil {
		c.copier.stop()
	}
	c.leave()
	return nil
}
