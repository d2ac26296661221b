package config

import (
	"strings"
	"time"
)

const (
	defaultDrain = 30 * time.Second
	longest      = 24 * time.Hour        // of all time-outs
	shortest     = 10 * time.Millisecond // of those that cannot be off
)

func readServer(v value, c *Config) {
	serverKeys().read(v, &c.Server)
	if v.holdsKeys() {
		v.need("listen", `an array of addresses such as ["127.0.0.1:8080"]`)
	}
}

func serverKeys() keys[Server] {
	return keys[Server]{
		{"listen", func(v value, s *Server) { s.Listen = readListeners(v) }},
		{"drain_delay", func(v value, s *Server) { v.duration(&s.DrainDelay, 0, longest) }},
		{"drain_timeout", func(v value, s *Server) { v.duration(&s.DrainTimeout, 0, longest) }},
		{"zone", func(v value, s *Server) { v.zone(&s.Zone) }},
		{"concurrency", func(v value, s *Server) { s.Concurrency = readConcurrency(v) }},
	}
}

func readListeners(v value) []Listener {
	elements, ok := v.list(`addresses such as "127.0.0.1:8080", or of tables with an address`)
	if ok && len(elements) == 0 {
		v.fail("must hold at least one address")
	}
	var list []Listener
	for _, e := range elements {
		list = append(list, readListener(e))
	}
	return list
}

func readListener(v value) Listener {
	l := Listener{HTTP2: true, Limits: defaultLimits()}
	if !v.holdsKeys() {
		v.serverAddress(&l.Address)
		return l
	}
	listenerKeys().read(v, &l)
	v.need("address", `what to listen on, such as "127.0.0.1:8080"`)
	v.exclude("redirect_https", "tls")
	if l.TrustUnix && !strings.HasPrefix(l.Address, unixPrefix) {
		v.child("trusted_proxies").fail(`"unix" is for listeners at a Unix socket`)
	}
	return l
}

func listenerKeys() keys[Listener] {
	return keys[Listener]{
		{"address", func(v value, l *Listener) { v.serverAddress(&l.Address) }},
		{"trusted_proxies", func(v value, l *Listener) { v.proxies(l) }},
		{"redirect_https", func(v value, l *Listener) { integer(v, &l.RedirectHTTPS, 1, 65535) }},
		{"http2", func(v value, l *Listener) { v.boolean(&l.HTTP2) }},
		{"tls", func(v value, l *Listener) { l.TLS = readTLS(v) }},
		{"limits", func(v value, l *Listener) { limitKeys().read(v, &l.Limits) }},
	}
}

func defaultLimits() Limits {
	return Limits{
		Head: 32 << 10, Fields: 100, URI: 8 << 10,
		HeadTimeout: 10 * time.Second, IdleTimeout: 60 * time.Second, BodyTimeout: 30 * time.Second,
		Connections: 10_000, Streams: 250,
	}
}

func limitKeys() keys[Limits] {
	return keys[Limits]{
		{"head", func(v value, l *Limits) { size(v, &l.Head, 1<<10, 1<<20) }},
		{"fields", func(v value, l *Limits) { integer(v, &l.Fields, 1, 10_000) }},
		{"uri", func(v value, l *Limits) { size(v, &l.URI, 64, 1<<20) }},
		{"head_timeout", func(v value, l *Limits) { v.duration(&l.HeadTimeout, shortest, longest) }},
		{"idle_timeout", func(v value, l *Limits) { v.duration(&l.IdleTimeout, shortest, longest) }},
		{"body_timeout", func(v value, l *Limits) { v.duration(&l.BodyTimeout, shortest, longest) }},
		{"connections", func(v value, l *Limits) { integer(v, &l.Connections, 1, 10_000_000) }},
		{"connections_per_ip", func(v value, l *Limits) { integer(v, &l.ConnectionsPerIP, 0, 10_000_000) }},
		{"streams", func(v value, l *Limits) { integer(v, &l.Streams, 1, 10_000) }},
	}
}

// anyPort reports whether several can listen on an address, the system choosing ports.
func anyPort(address string) bool {
	return address == "" || strings.HasSuffix(address, ":0") && !strings.HasPrefix(address, unixPrefix)
}
