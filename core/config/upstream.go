package config

import (
	"maps"
	"slices"
	"time"
)

// readUpstreams reads [upstreams.NAME].
func readUpstreams(v value) map[string]Upstream {
	known := upstreamKeys()
	return named(v, value.checkName, func(v value, name string) Upstream { return readUpstream(v, name, known) })
}

func readUpstream(v value, name string, known keys[Upstream]) Upstream {
	u := Upstream{
		Policy: "round_robin", ConnectTimeout: 2 * time.Second, ResponseTimeout: 30 * time.Second,
		IdleTimeout: 60 * time.Second, MaxIdle: 256, Retries: 1, Protocol: "http/1.1",
		Name: name, Balance: defaultBalance(),
	}
	known.read(v, &u)
	checkProtocol(v, &u)
	checkBalance(v, &u)
	checkHealthOf(v, &u)
	if u.Retry != nil && u.Retries == 0 {
		v.child("retry").fail("says how to retry, and retries = 0 that nothing is")
	}
	if v.holdsKeys() && !v.has("discover") {
		v.need("endpoints", `an array of addresses such as ["10.0.0.7:9001"]`)
	}
	return u
}

func upstreamKeys() keys[Upstream] {
	return append(keys[Upstream]{
		{"endpoints", func(v value, u *Upstream) { u.Endpoints = readEndpoints(v) }},
		{"policy", func(v value, u *Upstream) { v.oneOf(&u.Policy, policies()...) }},
		{"connect_timeout", func(v value, u *Upstream) { v.duration(&u.ConnectTimeout, time.Millisecond, longest) }},
		{"response_timeout", func(v value, u *Upstream) { v.duration(&u.ResponseTimeout, 0, longest) }},
		{"idle_timeout", func(v value, u *Upstream) { v.duration(&u.IdleTimeout, time.Millisecond, longest) }},
		{"max_idle", func(v value, u *Upstream) { integer(v, &u.MaxIdle, 0, 100_000) }},
		{"retries", func(v value, u *Upstream) { integer(v, &u.Retries, 0, 10) }},
		{"protocol", func(v value, u *Upstream) { v.oneOf(&u.Protocol, "http/1.1", "h2", "h2c") }},
		{"tls", func(v value, u *Upstream) { u.TLS = readUpstreamTLS(v) }},
		{"discover", func(v value, u *Upstream) { u.Discover = readDiscover(v) }},
		{"health", func(v value, u *Upstream) { u.Health = readHealth(v) }},
		{"eject", func(v value, u *Upstream) { u.Eject = readEject(v) }},
		{"retry", func(v value, u *Upstream) { u.Retry = readRetry(v) }},
		{"limits", func(v value, u *Upstream) { u.Limits = readUpstreamLimits(v) }},
		{"breaker", func(v value, u *Upstream) { u.Breaker = readBreaker(v) }},
	}, balanceUpstreamKeys()...)
}

func readEndpoints(v value) []Endpoint {
	elements, ok := v.list(`addresses such as "10.0.0.7:9001", or of tables with an address and a weight`)
	if ok && len(elements) == 0 {
		v.fail("must hold at least one address")
	}
	var list []Endpoint
	for _, e := range elements {
		p := Endpoint{Weight: 1}
		if e.holdsKeys() {
			endpointKeys().read(e, &p)
			e.need("address", `host:port of the server, such as "10.0.0.7:9001"`)
		} else {
			e.endpointAddress(&p.Address)
		}
		if p.Address != "" && slices.ContainsFunc(list, func(other Endpoint) bool { return other.Address == p.Address }) {
			e.fail("%s is in the list already: a larger share is given by weight", p.Address)
		}
		list = append(list, p)
	}
	return list
}

func endpointKeys() keys[Endpoint] {
	return keys[Endpoint]{
		{"address", func(v value, e *Endpoint) { v.endpointAddress(&e.Address) }},
		{"weight", func(v value, e *Endpoint) { integer(v, &e.Weight, 1, 1000) }},
		{"zone", func(v value, e *Endpoint) { v.zone(&e.Zone) }},
		{"priority", func(v value, e *Endpoint) { integer(v, &e.Priority, 0, 15) }},
	}
}

func upstreamNames(c *Config) []string {
	return slices.Sorted(maps.Keys(c.Upstreams))
}
