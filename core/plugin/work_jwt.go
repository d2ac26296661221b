package plugin

import (
	"errors"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// costVerify is what it costs to verify a token, in units of fuel: the host does the work, but a guest must not have it done for nothing.
const costVerify = 20_000

// jwtVerify returns the claims of a token that a granted key set vouches for.
func (h *hookCall) jwtVerify(p *Pool, keys, token string) (string, abi.Code) {
	if len(keys) > abi.MaxName || len(token) > abi.MaxToken {
		return "", abi.TooLarge
	}
	set := p.grants.Keys[keys]
	if set == nil {
		return "", abi.NotGranted
	}
	claims, err := set.Verify(token)
	switch {
	case err == nil:
		return claims, ok
	case errors.Is(err, ErrTokenInvalid):
		return "", abi.Invalid
	case errors.Is(err, ErrTokenExpired):
		return "", abi.TimedOut
	}
	return "", abi.Unavailable
}

func hostJWTVerify(c *call, a args) int64 {
	keys, token, buf := a.text(0), a.text(2), a.region(4)
	c.cost += costVerify
	claims, code := c.work.jwtVerify(c.pool, keys, token)
	return a.read(buf, claims, code)
}
