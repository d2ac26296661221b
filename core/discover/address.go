package discover

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// unixPrefix begins the address of a Unix socket.
const unixPrefix = "unix:"

// maxSocketPath is how long systems let the path of a socket be: 108 bytes on Linux, 104 elsewhere, with a NUL at the end.
const maxSocketPath = 103

// readAddress reads host:port, or unix: and an absolute path, and brings it into the form that equal ones share.
func readAddress(value any) (string, error) {
	s, ok := value.(string)
	if !ok {
		return "", errors.New(`want an address such as "10.0.0.7:9001"`)
	}
	if path, found := strings.CutPrefix(s, unixPrefix); found {
		if !filepath.IsAbs(path) || len(path) > maxSocketPath || strings.ContainsRune(path, 0) {
			return "", fmt.Errorf("%q: want the absolute path of a socket, of %d bytes at most", s, maxSocketPath)
		}
		return unixPrefix + filepath.Clean(path), nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%q is no address: want host:port", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port must be a number from 1 to 65535", s)
	}
	if host, ok = canonicalHost(host); !ok {
		return "", fmt.Errorf("%q: the host is neither an IP address nor a name", s)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

func canonicalHost(host string) (string, bool) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String(), true
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isLabel(label) {
			return "", false
		}
	}
	return strings.ToLower(host), len(host) <= 253
}

// isLabel takes underscores, too, which containers use.
func isLabel(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-'
}
