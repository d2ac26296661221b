package plugin

import (
	"crypto/sha256"
	"sync"

	"github.com/sallyport/sallyport/core/plugin/meter"
)

// maxRefusals bounds what is remembered of modules that were refused.
const maxRefusals = 256

// attempt is a module with the limits that decide whether it can be loaded.
type attempt struct {
	sum    [sha256.Size]byte
	limits meter.Limits
}

// refusals remember why modules could not be loaded, so that a bad file is examined once and not at every reload. The zero
// value is ready. It may be used by many goroutines.
type refusals struct {
	mu      sync.Mutex
	reasons map[attempt]error
}

// of returns why the attempt would fail, or nil if that is not known.
func (r *refusals) of(a attempt) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reasons[a]
}

// note remembers a refusal, and returns it. When there are too many, all are forgotten.
func (r *refusals) note(a attempt, reason error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reasons == nil || len(r.reasons) >= maxRefusals {
		r.reasons = make(map[attempt]error)
	}
	r.reasons[a] = reason
	return reason
}
