package cases

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/store"
)

// grants makes what a case grants its plugin. What is there is granted, nothing else; the plugin's own store is there always.
func grants(c *config.Case, fetches *stubs) (plugin.Grants, error) {
	own, err := filled(c.Grants.KV)
	if err != nil {
		return plugin.Grants{}, fmt.Errorf("kv: %w", err)
	}
	g := plugin.Grants{
		Stores: map[string]plugin.Store{"": own}, Limits: map[string]plugin.Limiter{}, Keys: map[string]plugin.KeySet{},
		Passwords: map[string]plugin.PasswordSet{},
		Upstreams: fetches.upstreams(),
		Secret:    func(name string) (string, bool) { return find(c.Grants.Secrets, name) },
	}
	for name, values := range c.Grants.Stores {
		if g.Stores[name], err = filled(values); err != nil {
			return plugin.Grants{}, fmt.Errorf("stores.%s: %w", name, err)
		}
	}
	for name, tokens := range c.Grants.Tokens {
		g.Keys[name] = tokenList(tokens)
	}
	for name, users := range c.Grants.Passwords {
		g.Passwords[name] = userList(users)
	}
	if g.Schemas, err = schemas(c.Grants.Schemas); err != nil {
		return plugin.Grants{}, fmt.Errorf("schemas: %w", err)
	}
	for name, burst := range c.Grants.Limits {
		g.Limits[name] = &budget{burst: int64(burst)}
	}
	return g, nil
}

// storeRoom is what the stores of a case may hold, in bytes.
const storeRoom = 8 << 20

func filled(values []config.NameValue) (plugin.Store, error) {
	s, err := store.NewMemory(store.Options{Entries: 10_000, Bytes: storeRoom})
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := s.Set(v.Name, v.Value, 0); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func find(list []config.NameValue, name string) (value string, found bool) {
	for _, v := range list {
		if v.Name == name {
			return v.Value, true
		}
	}
	return "", false
}

// tokenList is a key set that knows some tokens by heart.
type tokenList []config.NameValue

// Verify implements plugin.KeySet.
func (l tokenList) Verify(token string) (claims string, err error) {
	switch claims, known := find(l, token); {
	case !known:
		return "", plugin.ErrTokenInvalid
	case claims == "expired":
		return "", plugin.ErrTokenExpired
	default:
		return claims, nil
	}
}

// userList is a set of passwords that knows them by heart, and takes its time all the same.
type userList []config.NameValue

// Known implements plugin.PasswordSet.
func (userList) Known(string, string) (verdict error, known bool) { return nil, false }

// Check implements plugin.PasswordSet.
func (l userList) Check(user, password string) error {
	switch right, known := find(l, user); {
	case known && right == "busy":
		return errBusy
	case !known || right != password:
		return plugin.ErrPasswordWrong
	}
	return nil
}

var errBusy = errors.New("too many passwords wait to be checked")

// budget is a limit that never fills again, whatever the key. A case runs one hook at a time.
type budget struct{ burst, taken int64 }

// Burst implements plugin.Limiter.
func (b *budget) Burst() int64 { return b.burst }

// Take implements plugin.Limiter.
func (b *budget) Take(_ string, n int64) (time.Duration, error) {
	if b.taken+n > b.burst {
		return time.Second, nil
	}
	b.taken += n
	return 0, nil
}
