package plugin

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// store returns a granted store by name; key is checked on the way.
func (h *hookCall) store(name, key string) (Store, abi.Code) {
	if len(name) > abi.MaxName || len(key) > abi.MaxKey {
		return nil, abi.TooLarge
	}
	s := h.grants.Stores[name]
	if s == nil {
		return nil, abi.NotGranted
	}
	return s, ok
}

// outside is the code for what kept something outside of the gateway's own memory from doing its work.
func outside(err error) abi.Code {
	switch {
	case err == nil:
		return ok
	case timedOut(err):
		return abi.TimedOut
	}
	return abi.Unavailable
}

func timedOut(err error) bool {
	var slow interface{ Timeout() bool }
	return errors.As(err, &slow) && slow.Timeout()
}

// wrote notes a write that may have been done: also one without an answer.
func (h *hookCall) wrote(done bool, err error) {
	if done || err != nil {
		h.lasting = true
	}
}

func (h *hookCall) kvGet(name, key string) (string, abi.Code) {
	s, code := h.store(name, key)
	if code != ok {
		return "", code
	}
	value, found, err := s.Get(key)
	if err == nil && !found {
		return "", abi.NotFound
	}
	return value, outside(err)
}

func (h *hookCall) kvSet(name, key, value string, ttl time.Duration) abi.Code {
	if len(value) > abi.MaxStored {
		return abi.TooLarge
	}
	s, code := h.store(name, key)
	if code != ok {
		return code
	}
	h.lasting = true
	return outside(s.Set(key, value, ttl))
}

func (h *hookCall) kvAdd(name, key string, delta int64, ttl time.Duration) (int64, abi.Code) {
	s, code := h.store(name, key)
	if code != ok {
		return 0, code
	}
	sum, added, err := s.Add(key, delta, ttl)
	h.wrote(added, err)
	if err == nil && !added {
		return 0, abi.Conflict
	}
	return sum, outside(err)
}

func (h *hookCall) kvDelete(name, key string) abi.Code {
	s, code := h.store(name, key)
	if code != ok {
		return code
	}
	found, err := s.Delete(key)
	h.wrote(found, err)
	if err == nil && !found {
		return abi.NotFound
	}
	return outside(err)
}

// kvSwap stores next in the place of old, or of nothing if there is false.
func (h *hookCall) kvSwap(name, key, old string, there bool, next string, ttl time.Duration) abi.Code {
	if len(old) > abi.MaxStored || len(next) > abi.MaxStored {
		return abi.TooLarge
	}
	s, code := h.store(name, key)
	if code != ok {
		return code
	}
	swapped, err := s.Swap(key, old, there, next, ttl)
	h.wrote(swapped, err)
	if err == nil && !swapped {
		return abi.Conflict
	}
	return outside(err)
}

// rateTake returns 0, or in how many milliseconds n units may be there.
func (h *hookCall) rateTake(name, key string, n int64) (int, abi.Code) {
	if len(name) > abi.MaxName || len(key) > abi.MaxKey {
		return 0, abi.TooLarge
	}
	l := h.grants.Limits[name]
	switch {
	case l == nil:
		return 0, abi.NotGranted
	case n == 0:
		return 0, abi.Invalid
	case n > l.Burst():
		return 0, abi.TooLarge
	}
	wait, err := l.Take(key, n)
	h.wrote(wait <= 0, err)
	if err != nil || wait <= 0 {
		return 0, outside(err)
	}
	if h.x != nil && h.phase != abi.InRequestChunk { // those run beside the rest of the exchange
		h.x.Limit = strings.Clone(name)
	}
	return int(min((wait-1)/time.Millisecond+1, math.MaxInt32)), ok
}

func (h *hookCall) secret(name string) (string, abi.Code) {
	if len(name) > abi.MaxName {
		return "", abi.TooLarge
	}
	if h.grants.Secret == nil {
		return "", abi.NotGranted
	}
	value, granted := h.grants.Secret(name)
	if !granted {
		return "", abi.NotGranted
	}
	return value, ok
}
