package discover

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// How long a failed look-up is left alone: twice as long after each failure.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// emptyPause is for an answer that says there is nothing, but not for how long.
	emptyPause = 5 * time.Second
)

// DNSOptions say what a DNS source asks whom.
type DNSOptions struct {
	Name    string           // with a dot at its end: as it is, never with what Search says
	SRV     bool             // Name is that of SRV records, which have ports of their own
	Port    int              // of the addresses, without SRV
	Family  string           // "ipv4", "ipv6", or "both"
	Servers []netip.AddrPort // none: those in /etc/resolv.conf
	Search  []string         // domains that Name is looked up in when it does not exist by itself
	MinTTL  time.Duration    // the least between two look-ups, whatever the answers say; more than 0
	MaxTTL  time.Duration    // the most, not counting up to a tenth that chance adds
	Timeout time.Duration    // of one server for one question
	Queries chan struct{}    // full when as many questions are on their way as may be; shared; nil: no bound
}

// DNS is a Source: the addresses of a name, or the servers of SRV records. A name that does not exist, or has no address, is a failure, and
// so is an answer that does not come. It asks again when the answers have become too old, whether they are used or not.
type DNS struct {
	o     DNSOptions
	ask   func(context.Context, question) (answer, error)
	known map[question]answer // what each question was last answered, for when it is not
}

// NewDNS returns a DNS source.
func NewDNS(o DNSOptions) *DNS {
	c := &client{timeout: o.Timeout, queries: o.Queries, servers: func() ([]netip.AddrPort, error) {
		if len(o.Servers) > 0 {
			return o.Servers, nil
		}
		return systemServers(resolvConf)
	}}
	return &DNS{o: o, ask: c.ask, known: map[question]answer{}}
}

// Identity is part of Source.
func (s *DNS) Identity() Identity {
	if s.o.SRV {
		return Identity{"srv", s.o.Name}
	}
	return Identity{"dns", net.JoinHostPort(s.o.Name, strconv.Itoa(s.o.Port))}
}

// Watch is part of Source.
func (s *DNS) Watch(ctx context.Context, found func([]Endpoint, error)) {
	for failures := 0; ; {
		r := s.lookUp(ctx)
		if ctx.Err() != nil {
			return
		}
		found(r.list, r.err)
		if failures++; !r.failed {
			failures = 0
		}
		if !wait(ctx, s.pause(r, failures)) {
			return
		}
	}
}

// pause is how long until the next look-up. Chance adds a little, so that many sources do not ask at once; nothing is taken away, since a
// cache asked too early gives what it had, for a second.
func (s *DNS) pause(r result, failures int) time.Duration {
	pause := r.ttl
	if r.list == nil && !r.lasting {
		pause = emptyPause
	}
	if r.failed {
		pause = min(firstPause<<min(failures-1, 10), longestPause)
	}
	if r.failed && r.list != nil && r.lasting {
		pause = min(pause, r.ttl)
	}
	pause = min(max(pause, s.o.MinTTL), s.o.MaxTTL)
	return pause + rand.N(pause/10+1)
}

// names are those to look up, in this order, until one exists.
func (s *DNS) names(name string) []string {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, ".") {
		return []string{name}
	}
	names := []string{name + "."}
	for _, domain := range s.o.Search {
		names = append(names, name+"."+strings.ToLower(strings.TrimSuffix(domain, "."))+".")
	}
	return names
}
