package engine

import (
	"bytes"
	"net"
	"net/netip"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
)

// hop is the other end of a connection: the last sender of a request.
type hop struct {
	addr netip.Addr
	text string
}

// forward finds the client's address and makes the X-Forwarded fields what may go upstream. What a peer that is no
// trusted proxy says of them is dropped.
func forward(x *exchange.Exchange, o *Options, peer hop, trusted bool) {
	x.Addr, x.Trusted = peer.addr, trusted
	dropClientCert(&x.Req.Fields)
	if trusted {
		dropOddlyForwarded(&x.Req.Fields)
		believe(x, o, peer)
		return
	}
	f := &x.Req.Fields
	dropForwarded(f)
	if peer.text != "" {
		f.Add("X-Forwarded-For", peer.text)
	}
	f.Add("X-Forwarded-Proto", x.Req.Scheme)
	if x.Req.Host != "" {
		f.Add("X-Forwarded-Host", x.Req.Host)
	}
}

// trusts reports whether the peer is a trusted proxy; it looks again only when the options are others.
func (c *conn) trusts(o *Options) bool {
	if c.trust != o {
		c.trust, c.trusted = o, trusts(o, c.peer.Addr(), c.sock.RemoteAddr())
	}
	return c.trusted
}

func (h *http2Conn) trusts(o *Options) bool {
	return trusts(o, h.peer.Addr(), h.wire.RemoteAddr())
}

// trusts reports whether a peer is a trusted proxy: by its address, or because it came on a Unix socket.
func trusts(o *Options, addr netip.Addr, remote net.Addr) bool {
	_, isUnix := remote.(*net.UnixAddr)
	return contains(o.TrustedProxies, addr) || o.TrustUnix && isUnix
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func dropForwarded(f *header.Fields) {
	for _, field := range f.All() {
		if isForwarded(field.Name) {
			f.Keep(notForwarded)
			return
		}
	}
}

// dropOddlyForwarded takes away what a trusted proxy has let through with underscores in its name: it did not write that, and to an
// application behind us it could be the same as what it did write.
func dropOddlyForwarded(f *header.Fields) {
	for _, field := range f.All() {
		if isOddlyForwarded(field) {
			f.Keep(notOddlyForwarded)
			return
		}
	}
}

func isOddlyForwarded(field header.Field) bool {
	return isForwarded(field.Name) && strings.IndexByte(field.Name, '_') >= 0
}

func notOddlyForwarded(field header.Field) bool { return !isOddlyForwarded(field) }

func notForwarded(field header.Field) bool { return !isForwarded(field.Name) }

// isForwarded reports whether a field speaks of where the request came from. An underscore counts as a hyphen: to many
// an application they are the same.
func isForwarded(name string) bool {
	if len(name) < len("forwarded") {
		return false
	}
	switch name[0] {
	case 'f', 'F':
		return header.EqualName(name, "forwarded")
	case 'x', 'X':
		return sameName(name, "x-real-ip") ||
			len(name) > len("x-forwarded-") && sameName(name[:len("x-forwarded-")], "x-forwarded-")
	}
	return false
}

// dropClientCert takes away what only the gateway may say, whoever sends it (RFC 9440, section 4).
func dropClientCert(f *header.Fields) {
	for _, field := range f.All() {
		if isClientCert(field.Name) {
			f.Keep(notClientCert)
			return
		}
	}
}

func notClientCert(field header.Field) bool { return !isClientCert(field.Name) }

func isClientCert(name string) bool {
	return len(name) >= len("client-cert") && name[0]|0x20 == 'c' &&
		(sameName(name, "client-cert") || sameName(name, "client-cert-chain"))
}

// sameName compares a name with a lower-case one, underscores being hyphens.
func sameName(name, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i := range len(want) {
		if c := name[i]; c|0x20 != want[i] && c != want[i] && (c != '_' || want[i] != '-') {
			return false
		}
	}
	return true
}

// believe takes in what a trusted proxy says, and adds to it.
func believe(x *exchange.Exchange, o *Options, peer hop) {
	f := &x.Req.Fields
	var chain chain
	hops := chain.read(f, "X-Forwarded-For")
	if hops {
		x.Addr = chain.client(x.Addr, o.TrustedProxies, plainHop)
	} else if chain.read(f, "Forwarded") {
		x.Addr = chain.client(x.Addr, o.TrustedProxies, forwardedHop)
		believeForwarded(x, chain.nearest())
	}
	if proto := f.Value("X-Forwarded-Proto"); proto == "http" || proto == "https" {
		x.Req.Scheme = proto
	} else {
		f.Set("X-Forwarded-Proto", x.Req.Scheme)
	}
	if x.Req.Host != "" && !f.Has("X-Forwarded-Host") {
		f.Add("X-Forwarded-Host", x.Req.Host)
	}
	if told := addHop(x, peer, hops); told != "" {
		f.Set("X-Forwarded-For", told)
	}
}

// believeForwarded takes the scheme from the element of the Forwarded field that the peer added (RFC 7239).
func believeForwarded(x *exchange.Exchange, value string) {
	_, last := cutQuoted(value, ',')
	switch proto := parameter(last, "proto"); proto {
	case "http", "https":
		x.Req.Scheme = proto
	}
}

// addHop returns the value of X-Forwarded-For with the peer added.
func addHop(x *exchange.Exchange, peer hop, hops bool) string {
	var room [256]byte
	value := room[:0]
	switch {
	case hops:
		for _, field := range x.Req.Fields.All() {
			if header.EqualName(field.Name, "X-Forwarded-For") && field.Value != "" {
				value = append(append(value, field.Value...), ", "...)
			}
		}
	case x.Addr != peer.addr:
		value = append(x.Addr.AppendTo(value), ", "...)
	default:
		return peer.text
	}
	if peer.text == "" { // a Unix socket's peer has no address
		return x.Text.Copy(bytes.TrimSuffix(value, []byte(", ")))
	}
	return x.Text.Copy(append(value, peer.text...))
}

// chain are the values of a field that lists the hops of a request, nearest last.
type chain struct {
	fields *header.Fields
	name   string
}

// read reports whether there is such a field.
func (h *chain) read(fields *header.Fields, name string) bool {
	h.fields, h.name = fields, name
	return fields.Has(name)
}

// nearest returns the value that the peer has added to, or added: proxies may write a line of their own behind what they were sent.
func (h *chain) nearest() (value string) {
	for _, field := range h.fields.All() {
		if field.Value != "" && header.EqualName(field.Name, h.name) {
			value = field.Value
		}
	}
	return value
}

// client walks the hops from the nearest on, as long as trusted proxies tell of them, and returns the last address told of. hop
// takes the last one off a list.
func (h *chain) client(peer netip.Addr, trusted []netip.Prefix, hop func(list string) (rest, addr string)) netip.Addr {
	list := h.fields.All()
	for i := len(list) - 1; i >= 0; i-- {
		if !header.EqualName(list[i].Name, h.name) {
			continue
		}
		for rest := list[i].Value; rest != ""; {
			var text string
			rest, text = hop(rest)
			addr, ok := parseHop(text)
			if !ok {
				return peer
			}
			if peer = addr; !contains(trusted, addr) {
				return peer
			}
		}
	}
	return peer
}

func plainHop(list string) (rest, addr string) {
	cut := strings.LastIndexByte(list, ',')
	return list[:max(cut, 0)], list[cut+1:]
}

func forwardedHop(list string) (rest, addr string) {
	rest, element := cutQuoted(list, ',')
	return rest, parameter(element, "for")
}

// parameter returns the value of a parameter of a Forwarded element, without its quotes.
func parameter(element, name string) string {
	for element != "" {
		var pair string
		element, pair = cutQuoted(element, ';')
		key, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
		if header.EqualName(key, name) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// cutQuoted cuts a list at its last separator that is not in a quoted string, where a client's Host may have brought it. It looks from
// the right, since only what the nearest proxies wrote is sure to be well-formed.
func cutQuoted(list string, separator byte) (rest, last string) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch c := list[i]; {
		case c == '"' && !isEscaped(list, i):
			quoted = !quoted
		case c == separator && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return "", list
}

// isEscaped reports whether an odd number of backslashes stands before s[i].
func isEscaped(s string, i int) bool {
	before := strings.TrimRight(s[:i], `\`)
	return (i-len(before))%2 == 1
}

// parseHop reads an address, with or without port and brackets.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if s == "" || len(s) > len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535") {
		return netip.Addr{}, false
	}
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		s = s[1:end]
	} else if colon := strings.IndexByte(s, ':'); colon > 0 && colon == strings.LastIndexByte(s, ':') {
		s = s[:colon]
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, false
	}
	return addr.Unmap(), true
}
