package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// listenAddress reads a host:port to listen on. The host may be empty for every address of the machine, the port 0
// for one that the system chooses.
func (v value) listenAddress(dst *string) {
	s, ok := v.text(`an address such as "127.0.0.1:8080"`)
	if !ok {
		return
	}
	if host, port, ok := v.hostPort(s, 0); ok {
		if host != "" && !isHost(host) {
			v.fail("%q is neither an IP address nor a host name", host)
			return
		}
		*dst = net.JoinHostPort(host, port)
	}
}

// serverAddress reads what requests come in on: a host:port, or a Unix socket's path.
func (v value) serverAddress(dst *string) {
	s, _ := v.raw.(string)
	if path, found := strings.CutPrefix(s, unixPrefix); found {
		v.socketPath(dst, path)
		return
	}
	v.listenAddress(dst)
}

// endpointAddress reads a host:port, or unix: and a path, to connect to.
func (v value) endpointAddress(dst *string) {
	s, ok := v.text(`an address such as "10.0.0.7:9001"`)
	if !ok {
		return
	}
	if path, found := strings.CutPrefix(s, unixPrefix); found {
		v.socketPath(dst, path)
		return
	}
	if host, port, ok := v.hostPort(s, 1); ok {
		if !isHost(host) {
			v.fail("%q is neither an IP address nor a host name", host)
			return
		}
		*dst = net.JoinHostPort(host, port)
	}
}

// unixPrefix begins the address of a Unix socket.
const unixPrefix = "unix:"

// maxSocketPath is how long systems let the path of a socket be: 108 bytes on Linux, 104 elsewhere, with a NUL at the end.
const maxSocketPath = 103

// socketPath reads the path of a Unix socket, which becomes absolute.
func (v value) socketPath(dst *string, path string) {
	var absolute string
	if path == "" {
		v.fail(`lacks the path of the socket, such as "unix:/run/app.sock"`)
		return
	}
	value{v.r, v.key, path}.path(&absolute)
	switch {
	case absolute == "":
	case len(absolute) > maxSocketPath:
		v.fail("%q is %d bytes long, a socket's path can be %d at most", absolute, len(absolute), maxSocketPath)
	default:
		*dst = unixPrefix + absolute
	}
}

// hostPort splits an address and brings host and port into the one form that equal addresses share.
func (v value) hostPort(s string, lowest uint64) (host, port string, ok bool) {
	if scheme, rest, found := strings.Cut(s, "://"); found {
		v.fail("%q: leave %s:// out and write host:port, such as %q", s, scheme, withPort(rest))
		return "", "", false
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		v.fail("%q is no address: write host:port, such as %q", s, withPort(s))
		return "", "", false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n < lowest {
		v.fail("%q: the port must be a number from %d to 65535", s, lowest)
		return "", "", false
	}
	return canonicalHost(host), strconv.FormatUint(n, 10), true
}

// withPort makes an example of an address out of one that lacks a part.
func withPort(s string) string {
	s, _, _ = strings.Cut(s, "/")
	if _, _, err := net.SplitHostPort(s); err == nil {
		return s
	}
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		return "127.0.0.1:" + s
	}
	return net.JoinHostPort(strings.Trim(s, "[]"), "8080")
}

func canonicalHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String()
	}
	return strings.ToLower(host)
}

// isHost reports whether s is an IP address or a name of the DNS (with underscores, which containers use).
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isLabel(s string) bool {
	return isBareKey(s) && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-'
}

// proxies reads a list of networks, an address standing for itself alone, and "unix".
func (v value) proxies(l *Listener) {
	var texts []string
	v.texts(&texts, `networks such as "10.0.0.0/8"`, func(e value, s string) (string, bool) {
		if s == "unix" {
			return s, true
		}
		prefix, ok := e.prefix(s)
		return prefix.String(), ok
	})
	for _, s := range texts {
		if s == "unix" {
			l.TrustUnix = true
			continue
		}
		l.TrustedProxies = append(l.TrustedProxies, netip.MustParsePrefix(s))
	}
}

func (v value) prefix(s string) (netip.Prefix, bool) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		v.fail("%q is no network: write an address and the bits that count, such as \"10.0.0.0/8\"", s)
		return prefix, false
	case prefix != prefix.Masked():
		v.fail("%q has bits behind the /%d that count for nothing: did you mean %q or %q?", s, prefix.Bits(), prefix.Masked(), prefix.Addr())
		return prefix, false
	}
	return prefix, true
}

// hostPattern reads the host of a route: exact, or *.NAME.
func (v value) hostPattern(dst *string) {
	s, ok := v.text(`a host such as "api.example.com" or "*.example.com"`)
	if !ok {
		return
	}
	host := strings.ToLower(strings.TrimSuffix(s, "."))
	name := strings.TrimPrefix(host, "*.")
	switch {
	case host == "*":
		v.fail(`"*" is no host: leave the key out to match every host`)
	case host == "pass" || host == "upstream":
		v.fail("%q is no host to match: what is sent upstream as Host is set by upstream_host", s)
	case isBracketed(host):
		*dst = host
	case strings.Contains(name, ":"):
		v.fail("%q: leave the port out, a route matches on every port", s)
	case strings.Contains(name, "*"):
		v.fail("%q: the only wildcard is *. at the beginning", s)
	case !isHost(name):
		v.fail("%q is no host: letters, digits, '-' and '.' only (international names in their xn-- form)", s)
	default:
		*dst = host
	}
}

// isBracketed reports whether s is an IPv6 address as a Host field has it.
func isBracketed(s string) bool {
	inner, ok := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	ip, err := netip.ParseAddr(inner)
	return ok && closed && err == nil && ip.Is6()
}

// hostToSend reads what a route sends upstream as Host: "pass", "upstream", or a host with or without port.
func (v value) hostToSend(dst *string) {
	s, ok := v.text(`"pass", "upstream" or a host name`)
	if !ok {
		return
	}
	host := s
	if h, port, err := net.SplitHostPort(s); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			host = h
		}
	}
	if !isHost(host) && !isBracketed(host) {
		v.fail("%q is neither \"pass\" nor \"upstream\" nor a host name", s)
		return
	}
	*dst = s
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
