package sallyport

import (
	"time"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// Store keeps values by key, up to 256 KiB each, beyond the exchange and for all copies of the plugin. It is bounded: what was not used
// for the longest time may be gone before its time. Writes are not undone when the hook fails.
type Store struct {
	name string
}

// KV returns the store of that name, which the grant "kv:NAME" opens; "" is the plugin's own, by the grant "kv". Without the grant
// its methods return ErrNotGranted. They cannot be used while the plugin is configured.
func KV(name string) Store { return Store{name} }

// Get returns the value of key, ErrNotFound if there is none. A number is returned in decimal.
func (s Store) Get(key string) (value []byte, err error) {
	value, err = s.Bytes(key)
	return append([]byte(nil), value...), err
}

// Bytes is Get without a copy: the value is valid until the next call into this package.
func (s Store) Bytes(key string) (value []byte, err error) {
	n := host.KVGet(s.name, key, scratch)
	for outgrown(n) {
		n = host.KVGet(s.name, key, scratch)
	}
	value, _ = held(n)
	return value, failure(n)
}

// Set stores a value for ttl, rounded up to milliseconds, at most 49 days; 0 keeps it for good.
func (s Store) Set(key string, value []byte, ttl time.Duration) error {
	ms, err := milliseconds(ttl)
	if err != nil {
		return err
	}
	return failure(host.KVSet(s.name, key, value, ms))
}

// Add adds delta to the number that key has and returns the sum. One that is not there is 0 and kept for ttl, as by Set; one that is there
// keeps its time. ErrConflict if the value is no number, or the sum does not fit.
func (s Store) Add(key string, delta int64, ttl time.Duration) (sum int64, err error) {
	ms, err := milliseconds(ttl)
	if err != nil {
		return 0, err
	}
	sum, code := host.KVAdd(s.name, key, delta, ms)
	return sum, failure(code)
}

// Delete takes away the value of key, ErrNotFound if there is none.
func (s Store) Delete(key string) error { return failure(host.KVDelete(s.name, key)) }

// Swap stores next for ttl, as Set does, if the value of key is old; else ErrConflict.
func (s Store) Swap(key string, old, next []byte, ttl time.Duration) error {
	return s.swap(key, old, true, next, ttl)
}

// Insert stores a value for ttl, as Set does, if key has none; else ErrConflict.
func (s Store) Insert(key string, value []byte, ttl time.Duration) error {
	return s.swap(key, nil, false, value, ttl)
}

func (s Store) swap(key string, old []byte, there bool, next []byte, ttl time.Duration) error {
	ms, err := milliseconds(ttl)
	if err != nil {
		return err
	}
	return failure(host.KVSwap(s.name, key, old, there, next, ms))
}

// milliseconds rounds up, so that nothing but 0 becomes 0.
func milliseconds(d time.Duration) (uint32, error) {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	switch {
	case d < 0:
		return 0, ErrInvalid
	case ms > 1<<32-1:
		return 0, ErrTooLarge
	}
	return uint32(ms), nil
}
