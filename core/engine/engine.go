// Package engine listens, reads HTTP/1.1 and HTTP/2 requests into Exchanges, has them served and writes the answers.
package engine

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/http1"
	"github.com/sallyport/sallyport/core/nonblock"
)

// Options are what one listener may be told; a zero value means the default in brackets.
type Options struct {
	Limits      http1.Limits  // of a request's head [32 KiB, 100 fields, 8 KiB of target]
	HeadTimeout time.Duration // from a head's first byte to its last [10 s]
	IdleTimeout time.Duration // between requests; also of a tunnel whose Exchange.Idle is 0 [60 s]
	BodyTimeout time.Duration // without progress while a body is read or written [30 s]
	Connections int           // open at once; more wait to be accepted [20 000]
	// ConnectionsPerIP may be open at once from one address, an IPv6 one counting by its /64; more are closed. Trusted proxies
	// do not count [no bound].
	ConnectionsPerIP int
	TrustedProxies   []netip.Prefix
	TrustUnix        bool // a peer on a Unix socket is a trusted proxy
	TLS              *TLS // secures the connections that are accepted from now on; nil: plain
	HTTP2            bool // spoken where the client asks for it
	Streams          int  // requests at once on an HTTP/2 connection [250]
	RedirectHTTPS    int  // the port that every request is sent to, with the same host over TLS; 0: none is
}

func (o Options) withDefaults() *Options {
	setDefault(&o.Limits.Head, 32<<10)
	setDefault(&o.Limits.Fields, 100)
	setDefault(&o.Limits.URI, 8<<10)
	setDefault(&o.HeadTimeout, 10*time.Second)
	setDefault(&o.IdleTimeout, time.Minute)
	setDefault(&o.BodyTimeout, 30*time.Second)
	setDefault(&o.Connections, 20_000)
	setDefault(&o.Streams, 250)
	return &o
}

func setDefault[T int | time.Duration](option *T, value T) {
	if *option <= 0 {
		*option = value
	}
}

// Engine makes Exchanges for one Handler. Its listeners share what it pools. It may be used by many goroutines.
type Engine struct {
	handler   exchange.Handler
	log       *slog.Logger
	exchanges exchange.Pool
	pages     pages
	pipes     nonblock.Pipes
	second    atomic.Pointer[dateText]
}

// New returns an Engine that has handler answer. Panics and failures to accept go to log.
func New(handler exchange.Handler, log *slog.Logger) *Engine {
	return &Engine{handler: handler, log: log}
}

// dateText is a Date field's value and the second it is of.
type dateText struct {
	unix int64
	text string
}

// date returns the value of a Date field; it is made once a second.
func (e *Engine) date(now time.Time) string {
	unix := now.Unix()
	if d := e.second.Load(); d != nil && d.unix == unix {
		return d.text
	}
	d := &dateText{unix, now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
	e.second.Store(d)
	return d.text
}
