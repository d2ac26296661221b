package jwt

import (
	"strings"
	"sync"
	"time"
)

// maxCached is how many verified tokens are remembered.
const maxCached = 4096

// cache remembers tokens that were verified: a public-key signature costs more than all the rest of a request, and clients
// send the same token many times. It holds whole tokens, so nothing but the very same one is found. The zero value is empty.
type cache struct {
	mu    sync.RWMutex
	known map[string]verified
}

type verified struct {
	claims string
	until  time.Time // zero: for good
}

func (c *cache) get(token string, now time.Time) (claims string, ok bool) {
	c.mu.RLock()
	v, ok := c.known[token]
	c.mu.RUnlock()
	if !ok || !v.until.IsZero() && !now.Before(v.until) {
		return "", false
	}
	return v.claims, true
}

// put remembers a token. When there is no room, one that has expired goes, or else any.
func (c *cache) put(token, claims string, until, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[string]verified)
	}
	if len(c.known) >= maxCached {
		c.evict(now)
	}
	c.known[strings.Clone(token)] = verified{claims, until}
}

func (c *cache) evict(now time.Time) {
	const looks = 8 // a map's order is random: so many give a fair chance to find an expired one
	victim, n := "", 0
	for token, v := range c.known {
		victim = token
		if n++; n == looks || !v.until.IsZero() && !now.Before(v.until) {
			break
		}
	}
	delete(c.known, victim)
}

// clear forgets all: the keys have changed.
func (c *cache) clear() {
	c.mu.Lock()
	c.known = nil
	c.mu.Unlock()
}
