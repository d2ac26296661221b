package config

import (
	"net"
	"slices"
	"time"
)

// Store is one [stores.NAME] table: what several gateways share.
type Store struct {
	Redis    Redis
	Gateways int // that share it, by estimate
}

// Redis is where a Redis or Valkey is, and how it is used.
type Redis struct {
	Addresses []string // host:port
	Username  Secret
	Password  Secret
	TLS       *UpstreamTLS // nil: plain
	DB        int
	Prefix    string
	Timeout   time.Duration
	Keep      time.Duration
}

// longestKept is for values that are to be kept for good: no key is without an end.
const longestKept = 10 * 365 * 24 * time.Hour

func readStore(v value, _ string) Store {
	s := Store{Gateways: 1}
	storeKeys().read(v, &s)
	if v.holdsKeys() {
		v.need("redis", `where it is, such as { addresses = ["10.0.0.7:6379"] }`)
	}
	return s
}

func storeKeys() keys[Store] {
	return keys[Store]{
		{"redis", func(v value, s *Store) { readRedis(v, &s.Redis) }},
		{"gateways", func(v value, s *Store) { integer(v, &s.Gateways, 1, 10_000) }},
	}
}

func readRedis(v value, r *Redis) {
	*r = Redis{Prefix: "sallyport:", Timeout: 20 * time.Millisecond, Keep: 30 * 24 * time.Hour}
	redisKeys().read(v, r)
	if !v.holdsKeys() {
		return
	}
	v.need("addresses", `an array of addresses such as ["10.0.0.7:6379"]`)
	if r.DB > 0 && len(r.Addresses) > 1 {
		v.child("db").fail("a cluster has no databases but 0, and several addresses are those of a cluster")
	}
	if r.Username.Reveal() != "" && !v.has("password") {
		v.need("password", "that of the username")
	}
}

func redisKeys() keys[Redis] {
	return keys[Redis]{
		{"addresses", func(v value, r *Redis) { readRedisAddresses(v, &r.Addresses) }},
		{"username", func(v value, r *Redis) { r.Username = readNamedSecret(v, "") }},
		{"password", func(v value, r *Redis) { r.Password = readNamedSecret(v, "") }},
		{"tls", func(v value, r *Redis) { r.TLS = readStoreTLS(v) }},
		{"db", func(v value, r *Redis) { integer(v, &r.DB, 0, 1<<16) }},
		{"prefix", func(v value, r *Redis) { readPrefix(v, &r.Prefix) }},
		{"timeout", func(v value, r *Redis) { v.duration(&r.Timeout, time.Millisecond, 5*time.Second) }},
		{"keep", func(v value, r *Redis) { v.duration(&r.Keep, time.Second, longestKept) }},
	}
}

func readRedisAddresses(v value, dst *[]string) {
	before := len(v.r.wrong)
	elements, _ := v.list(`addresses such as "10.0.0.7:6379"`)
	for _, e := range elements {
		s, ok := e.text(`an address such as "10.0.0.7:6379"`)
		if !ok {
			continue
		}
		var address string
		if host, port, ok := e.hostPort(s, 1); ok && isHost(host) {
			address = net.JoinHostPort(host, port)
		} else if ok {
			e.fail("%q is neither an IP address nor a host name", host)
		}
		if slices.Contains(*dst, address) && address != "" {
			e.fail("%s is in the list already", address)
		}
		*dst = append(*dst, address)
	}
	if len(*dst) == 0 && len(v.r.wrong) == before {
		v.fail("must hold at least one address")
	}
}

// readStoreTLS reads a tls table as an upstream has it, but for the pins, or true for one that is empty.
func readStoreTLS(v value) *UpstreamTLS {
	switch on, isBool := v.raw.(bool); {
	case isBool && !on:
		return nil
	case isBool:
		return &UpstreamTLS{MinVersion: "1.2"}
	case !v.holdsKeys():
		v.wrongType("true or a table")
		return nil
	}
	if v.has("pin_sha256") {
		v.child("pin_sha256").fail("is for upstreams only")
	}
	return readUpstreamTLS(v)
}

// readPrefix refuses what would change which node of a cluster a key is on.
func readPrefix(v value, dst *string) {
	s, ok := v.raw.(string)
	switch {
	case !ok:
		v.wrongType("a string")
	case len(s) > 64:
		v.fail("is %d bytes long, must be 64 at most", len(s))
	default:
		for i := range len(s) {
			if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '{' || s[i] == '}' {
				v.fail("%q must be of visible ASCII characters other than { and }", s)
				return
			}
		}
		*dst = s
	}
}

// storeName reads the name of one of the file's stores.
func (v value) storeName(dst *string) {
	name, ok := v.text("the name of a store")
	if !ok {
		return
	}
	there := v.r.root.child("stores").names()
	if !slices.Contains(there, name) {
		v.fail("there is no store %q (it would be %s)%s", name, join("stores", name), didYouMean(name, there))
		return
	}
	*dst = name
}
