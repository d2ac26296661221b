package upstream

import (
	"errors"
	"time"

	"github.com/sallyport/sallyport/core/http1"
)

// askTime is how long a server may take to say whether it wants the content. Many never say: then it is sent.
const askTime = time.Second

// asks reports whether the upstream is to be asked before the client is: it waits, and nothing of the content is there yet.
func (c *conn) asks() bool {
	req := &c.x.Req
	return req.Expects && !req.Body.Whole() && len(req.Body.Held) == 0
}

// hear reads a head. While the upstream is being asked, silence is a yes, and so is 100; with any other answer it is final that the
// content is not wanted.
func (c *conn) hear() (http1.ResponseHead, error) {
	head, err := c.readHead()
	switch {
	case c.asking == nil:
	case errors.Is(err, errLate) && !isPast(c.send.until()):
		c.goOn()
		return c.readHead()
	case err == nil && head.Status == 100:
		c.goOn()
	case err == nil && (head.Status >= 200 || head.Status == 101):
		c.answer.ends = true // the server waits for content that will not come
	}
	return head, err
}

// goOn has the content sent.
func (c *conn) goOn() {
	c.copier, c.asking = c.asking, nil
	go c.copier.run()
}
