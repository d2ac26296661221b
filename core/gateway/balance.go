package gateway

import (
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/upstream"
)

// balanceOptions says how the endpoints of an upstream are picked. It notes what is wrong.
func (b *builder) balanceOptions(name string, c *config.Balance) upstream.BalanceOptions {
	o := upstream.BalanceOptions{
		HashBalance: c.HashFactor, SlowStart: c.SlowStart, Panic: c.Panic, Zone: b.cfg.Server.Zone,
		HashCookie: cookieOptions(c.HashCookie), Sticky: cookieOptions(c.Sticky),
	}
	for _, text := range c.Hash {
		part, err := key.Parse(text)
		if err != nil {
			b.fault("upstreams."+name+".hash", "%v", err)
		}
		o.Hash = append(o.Hash, part)
	}
	return o
}

func cookieOptions(c *config.Cookie) *upstream.CookieOptions {
	if c == nil {
		return nil
	}
	o := upstream.CookieOptions(*c)
	return &o
}

func endpointOptions(list []config.Endpoint) []upstream.EndpointOptions {
	options := make([]upstream.EndpointOptions, len(list))
	for i, e := range list {
		options[i] = upstream.EndpointOptions(e)
	}
	return options
}

// updateLater gives an upstream that other generations use as well its endpoints, once this one is in use: an upstream whose endpoints
// are all that has changed stays, with the connections to those that stay.
func (b *builder) updateLater(name string, u *upstream.Upstream, c *config.Upstream) {
	endpoints := endpointOptions(c.Endpoints)
	b.s.updates = append(b.s.updates, func() {
		if err := u.Update(endpoints); err != nil {
			b.g.log.Error("the endpoints stay as they were", "upstream", name, "error", err)
		}
	})
}

// BalanceStatus is a picture of how an upstream's endpoints are picked.
type BalanceStatus struct {
	Policy     string `json:"policy"`
	Zone       string `json:"zone,omitempty"` // of the gateway
	Panic      bool   `json:"panic"`          // so few endpoints can be used that all are
	PanicPicks uint64 `json:"panic_picks"`    // while that was so
}

// balanceStatus tells of the upstreams by name.
func (s *Snapshot) balanceStatus() map[string]BalanceStatus {
	all := make(map[string]BalanceStatus, len(s.upstreams))
	for name, u := range s.upstreams {
		all[name] = BalanceStatus(u.Balance())
	}
	return all
}
