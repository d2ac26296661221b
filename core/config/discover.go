package config

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Discover is the discover table of an upstream: where its endpoints are looked up. One of File, DNS and SRV is set.
type Discover struct {
	File     string           // absolute path
	DNS      string           // a name, without a port
	Port     int              // that goes with DNS
	SRV      string           // a name
	Resolver []netip.AddrPort // empty: those of the system
	Search   []string         // domains
	Family   string           // "both", "ipv4", "ipv6"
	MinTTL   time.Duration
	MaxTTL   time.Duration
	Timeout  time.Duration // of one server for one question
}

func readDiscover(v value) *Discover {
	d := &Discover{Family: "both", MinTTL: time.Second, MaxTTL: 5 * time.Minute, Timeout: time.Second}
	discoverKeys().read(v, d)
	if !v.holdsKeys() {
		return d
	}
	if v.exclude("file", "dns", "srv") == 0 {
		v.fail("needs one of file, dns and srv")
	}
	for _, name := range []string{"resolver", "search", "family", "min_ttl", "max_ttl", "timeout"} {
		if v.has("file") && v.has(name) {
			v.child(name).fail("only goes with dns and srv")
		}
	}
	if d.MinTTL > d.MaxTTL {
		v.child("min_ttl").fail("is %s, more than max_ttl (%s)", span(d.MinTTL), span(d.MaxTTL))
	}
	return d
}

func discoverKeys() keys[Discover] {
	return keys[Discover]{
		{"file", func(v value, d *Discover) { readEndpointFile(v, &d.File) }},
		{"dns", readDNSName},
		{"srv", func(v value, d *Discover) { readServiceName(v, &d.SRV) }},
		{"resolver", func(v value, d *Discover) { readResolvers(v, &d.Resolver) }},
		{"search", func(v value, d *Discover) { v.texts(&d.Search, "domains", checkDomain) }},
		{"family", func(v value, d *Discover) { v.oneOf(&d.Family, "both", "ipv4", "ipv6") }},
		{"min_ttl", func(v value, d *Discover) { v.duration(&d.MinTTL, 100*time.Millisecond, longest) }},
		{"max_ttl", func(v value, d *Discover) { v.duration(&d.MaxTTL, 100*time.Millisecond, longest) }},
		{"timeout", func(v value, d *Discover) { v.duration(&d.Timeout, 10*time.Millisecond, time.Minute) }},
	}
}

func readEndpointFile(v value, dst *string) {
	if s, ok := v.raw.(string); ok && s != "" && !strings.HasSuffix(s, ".toml") && !strings.HasSuffix(s, ".json") {
		v.fail("%q: the name must end in .toml or .json, which says how the file is read", s)
		return
	}
	v.path(dst)
}

// readDNSName reads a name and a port.
func readDNSName(v value, d *Discover) {
	s, ok := v.text(`a name and a port, such as "orders.internal:9001"`)
	if !ok {
		return
	}
	host, port, ok := v.hostPort(s, 1)
	if !ok {
		return
	}
	if _, err := netip.ParseAddr(host); err == nil {
		v.fail("%q is an address already: it belongs into endpoints", s)
		return
	}
	if v.isDNSName(host) {
		d.DNS = host
		d.Port, _ = strconv.Atoi(port) // hostPort has looked at it
	}
}

// readServiceName reads the name of SRV records.
func readServiceName(v value, dst *string) {
	s, ok := v.text(`a name such as "_http._tcp.orders.internal"`)
	if !ok {
		return
	}
	if _, _, err := net.SplitHostPort(s); err == nil {
		v.fail("%q: leave the port out, SRV records have their own", s)
		return
	}
	if v.isDNSName(s) {
		*dst = strings.ToLower(s)
	}
}

// isDNSName notes it if s is no name; a dot at the end is part of one.
func (v value) isDNSName(s string) bool {
	name := strings.TrimSuffix(s, ".")
	if _, err := netip.ParseAddr(name); err == nil || !isHost(name) {
		v.fail("%q is no name in the DNS", s)
		return false
	}
	return true
}

func checkDomain(v value, s string) (string, bool) {
	return strings.ToLower(strings.TrimSuffix(s, ".")), v.isDNSName(s)
}

// readResolvers reads the address of a DNS server, or an array of them.
func readResolvers(v value, dst *[]netip.AddrPort) {
	if _, one := v.raw.(string); one {
		if server, ok := v.resolver(); ok {
			*dst = []netip.AddrPort{server}
		}
		return
	}
	elements, ok := v.list(`addresses such as "10.0.0.2:53"`)
	if ok && len(elements) == 0 {
		v.fail("must hold at least one address: leave the key out for those of the system")
	}
	for _, e := range elements {
		server, ok := e.resolver()
		switch {
		case !ok:
		case slices.Contains(*dst, server):
			e.fail("%s is in the list already", server)
		default:
			*dst = append(*dst, server)
		}
	}
}

// resolver reads an IP address with or without a port.
func (v value) resolver() (netip.AddrPort, bool) {
	s, ok := v.text(`the address of a DNS server such as "10.0.0.2:53"`)
	if !ok {
		return netip.AddrPort{}, false
	}
	server, err := netip.ParseAddrPort(s)
	if ip, alone := netip.ParseAddr(strings.Trim(s, "[]")); alone == nil {
		server, err = netip.AddrPortFrom(ip, 53), nil
	}
	if err != nil || server.Port() == 0 {
		v.fail(`%q is no address of a DNS server: write an IP address, with a port if it is not 53, such as "127.0.0.1:5353"`, s)
		return netip.AddrPort{}, false
	}
	return server, true
}
