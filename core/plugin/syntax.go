package plugin

import (
	"net/netip"
	"strings"
)

// isToken says of each byte whether a field name may hold it (RFC 9110, section 5.6.2).
var isToken = byteSet("!#$%&'*+-.^_`|~" + letters + digits)

// isHostByte says of each byte whether a host's name may hold it, as the engine judges the hosts of clients.
var isHostByte = byteSet("-._~" + letters + digits)

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

func byteSet(members string) (set [256]bool) {
	for i := range len(members) {
		set[members[i]] = true
	}
	return set
}

func allIn(s string, set *[256]bool) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

// validToken reports whether s may be a field's name.
func validToken(s string) bool { return s != "" && allIn(s, &isToken) }

// validValue reports whether s may be a field's value: no control character but the tab.
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// visible reports whether s is visible ASCII, and something.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// trimSpace drops optional white space (RFC 9110, section 5.6.3) at both ends.
func trimSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// validHost reports whether s is a host's name or address, perhaps with a port.
func validHost(s string) bool {
	end := 0
	if strings.HasPrefix(s, "[") {
		end = strings.IndexByte(s, ']') + 1
		addr, err := netip.ParseAddr(s[1:max(end-1, 1)])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		return validPort(s[end:])
	}
	for end < len(s) && isHostByte[s[end]] {
		end++
	}
	return end > 0 && validPort(s[end:])
}

// validPort reports whether s is empty, or a colon and a port.
func validPort(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != ':' || len(s) < 2 || len(s) > 6 {
		return false
	}
	port := 0
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		port = port*10 + int(s[i]-'0')
	}
	return port <= 65535
}

// appendLower appends s in lower case.
func appendLower(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendDecoded appends s with its percent-encoding decoded; an invalid one stands for itself. In forms a plus is a space.
func appendDecoded(dst []byte, s string, form bool) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		case c == '+' && form:
			c = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

// unhex returns a hexadecimal digit's value, or more than 15.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
