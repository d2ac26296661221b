package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

const (
	// maxCheckBody is how much of an answer's content a check reads.
	maxCheckBody = 64 << 10
	// checkAgent tells servers' logs who asks.
	checkAgent = "sallyport-health-check"
)

var errNoMatch = errors.New("the content does not hold what is wanted")

// askTCP connects, and speaks TLS where the upstream has it.
func (c *checker) askTCP(k *check) error {
	raw, err := c.dialer.dial(k.endpoint, c.dialer.limit(time.Time{}))
	if err != nil {
		return err
	}
	_ = raw.Close() // it was only to be there
	return nil
}

// askHTTP sends a request and looks at the answer. A redirect is an answer like any other.
func (c *checker) askHTTP(k *check) error {
	x := c.exchange(k, c.options.Method, c.options.Path)
	x.Req.Query = c.options.Query
	content, err := c.roundTrip(k, x)
	if err != nil {
		return err
	}
	if !c.options.isExpected(x.Resp.Status) {
		return fmt.Errorf("status %d", x.Resp.Status)
	}
	if !bytes.Contains(content, []byte(c.options.Body)) {
		return errNoMatch
	}
	return nil
}

func (h *HealthOptions) isExpected(status int) bool {
	for _, r := range h.Statuses {
		if r.From <= status && status <= r.To {
			return true
		}
	}
	return false
}

func (c *checker) exchange(k *check, method, path string) *exchange.Exchange {
	x := &exchange.Exchange{Client: k}
	x.Req.Method, x.Req.Scheme, x.Req.Host, x.Req.Path = method, "http", c.options.Host, path
	x.Req.Fields.Set("User-Agent", checkAgent)
	return x
}

// roundTrip returns the answer's content as far as it is of interest; nothing is open afterwards.
func (c *checker) roundTrip(k *check, x *exchange.Exchange) ([]byte, error) {
	x.Times.Start = time.Now()
	send := Send{Host: c.options.Host, Deadline: x.Times.Start.Add(c.options.Timeout), Whole: true}
	if f := c.transport.RoundTrip(x, k.endpoint, send); f != nil {
		x.Resp.Reset()
		return nil, f
	}
	content, err := io.ReadAll(io.LimitReader(&x.Resp.Body, maxCheckBody))
	x.Resp.Body.Reset()
	if x.Resp.Tunnel != nil {
		err = errors.Join(err, x.Resp.Tunnel.Close())
		x.Resp.Tunnel = nil
	}
	return content, err
}
