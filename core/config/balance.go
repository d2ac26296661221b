package config

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Balance is how an upstream's endpoints are picked, beside its policy.
type Balance struct {
	Hash       []string // parts of a key, as for RateLimit; none: the policy does not go by them
	HashCookie *Cookie  // nil: none is made
	HashFactor float64  // 0: no bound
	Sticky     *Cookie  // nil: none
	SlowStart  time.Duration
	Panic      int // percent
}

// Cookie is a cookie that the gateway sets.
type Cookie struct {
	Name     string
	Domain   string // "": the host that was asked
	Path     string
	MaxAge   time.Duration // 0: until the browser is closed
	Secure   bool
	HTTPOnly bool
	SameSite string // "Strict", "Lax", "None"; "": not said
}

func policies() []string {
	return []string{"round_robin", "random", "least_request", "ewma", "ring_hash", "maglev"}
}

// defaultBalance is what an upstream without any of the keys has. Hash and HashFactor depend on the policy.
func defaultBalance() Balance { return Balance{Panic: 50} }

// balanceUpstreamKeys are those of an upstream that say how endpoints are picked.
func balanceUpstreamKeys() keys[Upstream] {
	return keys[Upstream]{
		{"hash", func(v value, u *Upstream) { readLimitKey(v, &u.Balance.Hash) }},
		{"hash_cookie", func(v value, u *Upstream) { u.Balance.HashCookie = readCookie(v, "") }},
		{"hash_balance_factor", func(v value, u *Upstream) { v.factor(&u.Balance.HashFactor) }},
		{"sticky", func(v value, u *Upstream) { u.Balance.Sticky = readCookie(v, u.Name) }},
		{"slow_start", func(v value, u *Upstream) { v.duration(&u.Balance.SlowStart, 0, time.Hour) }},
		{"panic_threshold", func(v value, u *Upstream) { integer(v, &u.Balance.Panic, 0, 100) }},
	}
}

// checkBalance fills in what depends on the policy, and notes what does not go with it.
func checkBalance(v value, u *Upstream) {
	b := &u.Balance
	if u.Policy != "ring_hash" && u.Policy != "maglev" {
		for _, name := range []string{"hash", "hash_cookie", "hash_balance_factor"} {
			if v.has(name) {
				v.child(name).fail(`only goes with policy = "ring_hash" or "maglev": %s does not go by a hash`, u.Policy)
			}
		}
		return
	}
	if !v.has("hash") {
		b.Hash = []string{"client"}
	}
	if !v.has("hash_balance_factor") {
		b.HashFactor = 1.25
	}
	if b.HashCookie != nil {
		checkHashCookie(v.child("hash_cookie"), b)
	}
}

// checkHashCookie finds the cookie that is to be made among those of the hash.
func checkHashCookie(v value, b *Balance) {
	var names []string
	for _, part := range b.Hash {
		if name, ok := strings.CutPrefix(part, "cookie:"); ok {
			names = append(names, name)
		}
	}
	switch name := b.HashCookie.Name; {
	case len(names) == 0:
		v.fail(`needs a cookie among the parts of hash, such as hash = "cookie:client"`)
	case name == "" && len(names) > 1:
		v.fail("needs cookie: hash has %s", quoted(names))
	case name == "":
		b.HashCookie.Name = names[0]
	case !slices.Contains(names, name):
		v.child("cookie").fail("%q is no cookie of hash%s", name, didYouMean(name, names))
	}
}

// readCookie reads a cookie that keeps clients with an endpoint of the upstream; "" for one that has its name from elsewhere.
func readCookie(v value, upstream string) *Cookie {
	c := &Cookie{Path: "/", HTTPOnly: true}
	if upstream != "" {
		c.Name = defaultCookie(upstream)
	}
	cookieKeys().read(v, c)
	if !c.Secure && c.SameSite == "None" {
		v.child("same_site").fail(`"none" needs secure = true: without it browsers refuse the cookie`)
	}
	if !c.Secure && (strings.HasPrefix(c.Name, "__Secure-") || strings.HasPrefix(c.Name, "__Host-")) {
		v.child("cookie").fail("%q needs secure = true: without it browsers refuse the cookie", c.Name)
	}
	return c
}

// defaultCookie tells upstreams apart and does not tell their names.
func defaultCookie(upstream string) string {
	sum := sha256.Sum256([]byte(upstream))
	return "_sp_" + hex.EncodeToString(sum[:3])
}

func cookieKeys() keys[Cookie] {
	return keys[Cookie]{
		{"cookie", func(v value, c *Cookie) { v.cookieName(&c.Name) }},
		{"domain", func(v value, c *Cookie) { v.cookieDomain(&c.Domain) }},
		{"path", func(v value, c *Cookie) { v.cookiePath(&c.Path) }},
		{"max_age", func(v value, c *Cookie) { v.duration(&c.MaxAge, 0, 366*24*time.Hour) }},
		{"secure", func(v value, c *Cookie) { v.boolean(&c.Secure) }},
		{"http_only", func(v value, c *Cookie) { v.boolean(&c.HTTPOnly) }},
		{"same_site", func(v value, c *Cookie) { v.sameSite(&c.SameSite) }},
	}
}

func (v value) cookieName(dst *string) {
	s, ok := v.text("the cookie's name")
	switch {
	case !ok:
	case !isToken(s):
		v.fail("%q is no name of a cookie", s)
	default:
		*dst = s
	}
}

func (v value) cookieDomain(dst *string) {
	s, ok := v.text(`a host whose sub-domains get the cookie, too, such as "example.com"`)
	switch {
	case !ok:
	case !isHost(s):
		v.fail("%q is no host name", s)
	default:
		*dst = canonicalHost(s)
	}
}

func (v value) cookiePath(dst *string) {
	s, ok := v.text(`what the paths of requests with the cookie begin with, such as "/"`)
	switch {
	case !ok:
	case s[0] != '/' || strings.ContainsAny(s, "; ,") || !isFieldValue(s):
		v.fail(`%q is no path of a cookie: it begins with "/" and has no space, comma or semicolon`, s)
	default:
		*dst = s
	}
}

func (v value) sameSite(dst *string) {
	s := ""
	v.oneOf(&s, "strict", "lax", "none")
	if s != "" {
		*dst = strings.ToUpper(s[:1]) + s[1:]
	}
}

// factor reads how many times its share something may have: 0 for as much as it will, or 1 and more.
func (v value) factor(dst *float64) {
	f, ok := v.raw.(float64)
	if n, whole := v.raw.(int64); whole {
		f, ok = float64(n), true
	}
	switch {
	case !ok:
		v.wrongType("a number")
	case f != 0 && !(f >= 1 && f <= 100):
		v.fail("is %v, must be 0 or from 1 to 100", f)
	default:
		*dst = f
	}
}

// zone reads where something is.
func (v value) zone(dst *string) {
	if s, ok := v.text(`the name of a zone such as "eu-1a"`); ok && v.checkName(s) {
		*dst = s
	}
}
