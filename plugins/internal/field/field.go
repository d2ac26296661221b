// Package field compares, checks and reads names and values of header fields without allocating.
package field

import (
	"errors"
	"strings"
	"unsafe"

	"github.com/sallyport/sallyport/sdk/go/config"
)

// Equal reports whether name is want but for the case of ASCII letters.
func Equal[T string | []byte](name T, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i := range len(want) {
		if lower(name[i]) != lower(want[i]) {
			return false
		}
	}
	return true
}

// Alike is Equal with underscores taken for hyphens, as many servers take them.
func Alike[T string | []byte](name T, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i := range len(want) {
		if lower(hyphen(name[i])) != lower(hyphen(want[i])) {
			return false
		}
	}
	return true
}

// Below reports whether name begins with want and a hyphen, in the sense of Alike.
func Below[T string | []byte](name T, want string) bool {
	n := len(want)
	return len(name) > n && hyphen(name[n]) == '-' && Alike(name[:n], want)
}

func hyphen(c byte) byte {
	if c == '_' {
		return '-'
	}
	return c
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// View is b as a string, for as long as b does not change.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// IsToken reports whether s is a token (RFC 9110, section 5.6.2): a method, or the name of a header.
func IsToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// IsValue reports whether s can be the value of a header or an attribute and comes out as it went in: no control
// characters, and no white space at its ends.
func IsValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s == strings.TrimSpace(s)
}

// ReadName reads the name of a header out of a configuration.
func ReadName(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	if *dst == "" {
		return errors.New("must not be empty")
	}
	if !IsToken(*dst) {
		return errors.New("must be the name of a header")
	}
	return nil
}

// ReadNames reads an array of names of headers.
func ReadNames(v *config.Value, dst *[]string) error {
	*dst = nil
	return v.Array(func(item *config.Value) error {
		var name string
		err := ReadName(item, &name)
		*dst = append(*dst, name)
		return err
	})
}

// Belongs reports whether a header is the gateway's business: plugins cannot set it.
func Belongs(name string) bool {
	for _, own := range [...]string{"Host", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
		"Upgrade", "HTTP2-Settings", "Content-Length"} {
		if Equal(name, own) {
			return true
		}
	}
	return false
}
