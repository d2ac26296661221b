package http1

import (
	"net/netip"
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// parseTarget takes the request target apart (RFC 9112, section 3.2) and settles the host.
func (h *RequestHead) parseTarget(a *acted) refusal {
	if h.Method == "CONNECT" {
		return noConnect
	}
	if !a.hasHost && !h.HTTP10 {
		return noHost
	}
	if a.hasHost {
		host, ok := canonicalHost(a.host)
		if !ok {
			return badHost
		}
		h.Host = host
	}
	switch {
	case h.Target[0] == '/':
		return h.setPath(h.Target)
	case h.Target == "*" && h.Method == "OPTIONS":
		h.Path = "*"
		return accepted
	}
	return h.parseAbsolute(a.hasHost)
}

func (h *RequestHead) setPath(target string) refusal {
	path, query := target, ""
	if i := strings.IndexByte(target, '?'); i >= 0 {
		path, query = target[:i], target[i+1:]
	}
	h.Query = query
	var ok bool
	if h.Path, ok = CanonicalPath(path); !ok {
		h.Path = ""
		return whyNoPath(path)
	}
	return accepted
}

// parseAbsolute reads the absolute form. A Host beside it must agree: the one routes, the other goes upstream.
func (h *RequestHead) parseAbsolute(hasHost bool) refusal {
	scheme, rest, ok := strings.Cut(h.Target, "://")
	if !ok || !header.EqualName(scheme, "http") && !header.EqualName(scheme, "https") {
		return badTarget
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, ok := canonicalHost(rest[:end])
	if !ok {
		return badTarget
	}
	if hasHost && host != h.Host {
		return otherHost
	}
	h.Host = host
	switch path := rest[end:]; {
	case path == "" && h.Method == "OPTIONS":
		h.Path = "*"
	case path == "":
		h.Path = "/"
	case path[0] == '?':
		h.Path, h.Query = "/", path[1:]
	default:
		return h.setPath(path)
	}
	return accepted
}

// canonicalHost returns host[:port] in lower case, and whether it is one. It allocates only for capitals.
func canonicalHost(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	name := skip(s, 0, isHost)
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", false
		}
		addr, err := netip.ParseAddr(s[1:end])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", false
		}
		name = end + 1
	}
	if name == 0 || !validPort(s[name:]) {
		return "", false
	}
	if skipNot(s, isUpper) == len(s) {
		return s, true
	}
	return strings.ToLower(s), true
}

func skipNot(s string, class octet) int {
	i := 0
	for i < len(s) && octets[s[i]]&class == 0 {
		i++
	}
	return i
}

// validPort reports whether s is empty or a colon with a port number behind it.
func validPort(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != ':' || len(s) < 2 || len(s) > 6 {
		return false
	}
	port := 0
	for _, c := range []byte(s[1:]) {
		if !isDigit(c) {
			return false
		}
		port = port*10 + int(c-'0')
	}
	return port <= 65535
}
