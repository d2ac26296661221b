package plugin

import (
	"errors"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/plugin/meter"
)

// Grants are what a plugin may use of the host beside its own exchange. The zero value grants nothing.
type Grants struct {
	Stores    map[string]Store       // for kv_…, by name; "" is the plugin's own
	Limits    map[string]Limiter     // for rate_take, by name
	Upstreams map[string]Fetcher     // for fetch…, by name
	Keys      map[string]KeySet      // for jwt_verify, by name
	Passwords map[string]PasswordSet // for password_check, by name
	Schemas   map[string]Schema      // for schema_check, by name
	// Secret returns a secret's value, and whether there is a grant for it; nil for none. A function shows nothing when it is printed.
	Secret func(name string) (value string, granted bool)
	// Assumed has the plugin believe that it is granted whatever it asks for: for tools that look at one outside of a gateway. What it then calls
	// is refused all the same.
	Assumed bool
	// Hidden are the names of header fields that are never there for the plugin, in any message.
	Hidden []string
}

// Store keeps values by key. It may be used by many goroutines at once. It copies what it keeps of its arguments, which are valid
// during a call only. An error says that it cannot be reached, and nothing of the value; one with a method Timeout that returns true,
// that it did not answer in time.
type Store interface {
	Values
	Atomics
}

// Values are the plain operations of a Store.
type Values interface {
	// Get returns the value of key, and whether there is one.
	Get(key string) (value string, found bool, err error)
	// Set stores a value for ttl; 0 keeps it for good.
	Set(key, value string, ttl time.Duration) error
	// Delete reports whether there was a value.
	Delete(key string) (found bool, err error)
}

// Atomics are the operations of a Store that read and write at once.
type Atomics interface {
	// Add adds to a number and returns the sum; it reports false for what is no number, and for a sum that does not fit. One that
	// is not there is 0, and kept for ttl.
	Add(key string, delta int64, ttl time.Duration) (sum int64, ok bool, err error)
	// Swap stores next if the value is old, or if there is none and there is false, and reports whether it did.
	Swap(key, old string, there bool, next string, ttl time.Duration) (swapped bool, err error)
}

// Limiter is a named limit. It may be used by many goroutines at once; its errors are as a Store's.
type Limiter interface {
	// Burst returns the most units that can be taken at once.
	Burst() int64
	// Take takes n units for key, all or none, and returns 0, or how long from now they may be had.
	Take(key string, n int64) (wait time.Duration, err error)
}

// KeySet verifies tokens. It may be used by many goroutines at once.
type KeySet interface {
	// Verify returns a token's claims as JSON. Its error is ErrTokenInvalid or ErrTokenExpired, perhaps around a cause; any other says that the
	// keys cannot be had.
	Verify(token string) (claims string, err error)
}

// Schema checks JSON documents. It may be used by many goroutines at once.
type Schema interface {
	// Check checks a document, which is valid during the call only, for about as much work as is allowed, in units of fuel. It returns what is wrong
	// with it as a JSON array, "" for nothing, and the work that it was. An error with a method TooLarge that returns true says that the document is
	// too large or too much work; any other, that the check could not be done.
	Check(document []byte, allowed int64) (wrong string, work int64, err error)
}

// What a KeySet may find wrong with a token.
var (
	ErrTokenInvalid = errors.New("invalid token")
	ErrTokenExpired = errors.New("token expired or not valid yet")
)

// PasswordSet checks passwords of users. It may be used by many goroutines at once.
type PasswordSet interface {
	// Known returns the verdict on a password if it can be told without work: nil for the right one, else ErrPasswordWrong.
	Known(user, password string) (verdict error, known bool)
	// Check returns the verdict. It may take long, and waits for its turn; a password that cannot be checked is any other error, which has a
	// method Timeout that returns true if its turn did not come in time.
	Check(user, password string) error
}

// ErrPasswordWrong is what a PasswordSet says of a password that is not the user's, and of a user that there is not.
var ErrPasswordWrong = errors.New("wrong user or password")

// has reports whether there is a grant, named as in gateway.toml.
func (g *Grants) has(grant string) (there bool) {
	if g.Assumed {
		return true
	}
	kind, name, named := strings.Cut(grant, ":")
	if named == (name == "") || !named && kind != abi.GrantKV {
		return false
	}
	switch kind {
	case abi.GrantFetch:
		_, there = g.Upstreams[name]
	case abi.GrantJWT:
		_, there = g.Keys[name]
	case abi.GrantKV:
		_, there = g.Stores[name]
	case abi.GrantLimit:
		_, there = g.Limits[name]
	case abi.GrantPasswords:
		_, there = g.Passwords[name]
	case abi.GrantSchema:
		_, there = g.Schemas[name]
	case abi.GrantSecret:
		if g.Secret != nil {
			_, there = g.Secret(name)
		}
	}
	return there
}

// Need is a kind of grant without which a plugin is of no use.
type Need struct {
	Kind      string   // as the first part of a grant: "kv", "secret"
	Functions []string // that the plugin imports and that need it
}

// Needs returns the kinds of grants that the plugin's imports call for, in the order of the ABI.
func (p *Plugin) Needs() []Need { return p.needs }

func needsOf(info *meter.Info) (needs []Need) {
	imported := make(map[string]bool)
	for _, i := range info.Imports {
		if i.Module == abi.Module {
			imported[i.Name] = true
		}
	}
	for _, f := range abi.Functions() {
		if f.Grant == "" || !imported[f.Name] {
			continue
		}
		if last := len(needs) - 1; last >= 0 && needs[last].Kind == f.Grant {
			needs[last].Functions = append(needs[last].Functions, f.Name)
			continue
		}
		needs = append(needs, Need{f.Grant, []string{f.Name}})
	}
	return needs
}
