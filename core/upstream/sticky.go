package upstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// CookieOptions are a cookie's name and attributes (RFC 6265, section 4.1).
type CookieOptions struct {
	Name     string
	Domain   string // "": the host that was asked
	Path     string // "": the path that was asked, up to its last segment
	MaxAge   time.Duration
	Secure   bool
	HTTPOnly bool
	SameSite string // "Strict", "Lax", "None" or "" for what the browser thinks best
}

// cookie is a cookie that is set with ever the same attributes.
type cookie struct {
	name       string
	attributes string
}

func newCookie(o CookieOptions) *cookie {
	var b strings.Builder
	add := func(name, value string) {
		if value != "" {
			b.WriteString("; " + name + "=" + value)
		}
	}
	add("Path", o.Path)
	add("Domain", o.Domain)
	if o.MaxAge > 0 {
		add("Max-Age", strconv.FormatInt(max(int64(o.MaxAge/time.Second), 1), 10))
	}
	if o.Secure {
		b.WriteString("; Secure")
	}
	if o.HTTPOnly {
		b.WriteString("; HttpOnly")
	}
	add("SameSite", o.SameSite)
	return &cookie{o.Name, b.String()}
}

// set returns the value of a Set-Cookie field.
func (c *cookie) set(value string) string { return c.name + "=" + value + c.attributes }

// pinOf returns what sticky cookies call an endpoint: the same at every gateway and after each start, and nothing that tells its address.
// Whoever knows the upstream's name and guesses the address can see that the guess was right; where that matters, addresses must not be
// guessable.
func pinOf(upstream, address string) string {
	mac := hmac.New(sha256.New, []byte("sallyport sticky cookie\x00"+upstream))
	mac.Write([]byte(address))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

// pins returns the endpoints' places by their pins, nil if they have none.
func pins(endpoints []*Endpoint) map[string]int {
	var places map[string]int
	for i, e := range endpoints {
		if e.pin == "" {
			continue
		}
		if places == nil {
			places = make(map[string]int, len(endpoints))
		}
		places[e.pin] = i
	}
	return places
}
