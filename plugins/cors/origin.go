package main

import (
	"errors"
	"strings"
)

// origin is one origin that is allowed, or all below a domain. Origins are compared byte for byte, as browsers write them.
type origin struct {
	whole  string // "" for a wildcard
	scheme string // of a wildcard, with ://
	domain string // of a wildcard, with the dot before it and the port behind it
}

func (o *origin) matches(text string) bool {
	if o.whole != "" {
		return text == o.whole
	}
	if !strings.HasPrefix(text, o.scheme) {
		return false
	}
	if text = text[len(o.scheme):]; len(text) > longestHost {
		return false
	}
	return len(text) > len(o.domain) && strings.HasSuffix(text, o.domain) && isHost(text[:len(text)-len(o.domain)])
}

// longestHost is how many bytes a name (RFC 1035) and a port can have: no browser has a longer one, and none is told back.
const longestHost = 253 + len(":65535")

// isHost reports whether s is labels, joined by dots, in the form that browsers write them.
func isHost(s string) bool {
	for s != "" {
		label, rest, more := strings.Cut(s, ".")
		if label == "" || more && rest == "" {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
		s = rest
	}
	return true
}

var errOrigin = errors.New(`must be an origin as browsers write it, such as https://app.example.com or https://*.example.com:8443, "null" or "*"`)

// parseOrigin reads an origin of the configuration.
func parseOrigin(text string) (o origin, err error) {
	if text == "null" {
		return origin{whole: text}, nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || !isScheme(scheme) {
		return o, errOrigin
	}
	host, port := splitPort(rest)
	if port != "" && !isPort(port[1:]) || isDefault(scheme, port) {
		return o, errors.New("must have no port that is the default, and none that is no number: browsers do not write it")
	}
	if domain, wildcard := strings.CutPrefix(host, "*."); wildcard {
		if domain == "" || !isHost(domain) || !strings.Contains(domain, ".") {
			return o, errors.New("must have a domain of two labels at least behind the wildcard: *.example.com")
		}
		return origin{scheme: scheme + "://", domain: "." + domain + port}, nil
	}
	if host == "" || !isHost(host) && !isIPv6(host) {
		return o, errOrigin
	}
	return origin{whole: text}, nil
}

func isScheme(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// splitPort returns a host and its port with the colon.
func splitPort(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.IndexByte(s[i:], ']') >= 0 {
		return s, ""
	}
	return s[:i], s[i:]
}

func isPort(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || i == 0 && s[i] == '0' || i > 4 {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	return s != "" && n <= 65535
}

func isDefault(scheme, port string) bool {
	return scheme == "http" && port == ":80" || scheme == "https" && port == ":443"
}

// isIPv6 reports whether s looks like an IPv6 address in brackets. One that is none matches nobody.
func isIPv6(s string) bool {
	return len(s) > 4 && s[0] == '[' && s[len(s)-1] == ']' && strings.Trim(s[1:len(s)-1], "0123456789abcdef:.") == ""
}
