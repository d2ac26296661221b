package filter

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"sync/atomic"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/limit"
)

// Missing says what becomes of requests that lack a part of a limit's key.
type Missing uint8

// What becomes of them.
const (
	MissingShares Missing = iota // they are counted together
	MissingSkips                 // the limit is not theirs
	MissingDenies                // they are answered 403
)

// OnStoreError says what a limit does when its store cannot be had.
type OnStoreError uint8

// What it does.
const (
	CountHere OnStoreError = iota // decide by the Counter
	LetPass
	DenyAll // with 503
)

// Cost is what one request takes: Default, or what a part of the request says, at most Max. What is no number costs Max.
type Cost struct {
	From    *key.Part // nil: always Default
	Default int64
	Max     int64
}

// Limit is one limit of a RateLimit. What it points to is shared by all filters that count the same.
type Limit struct {
	Name    string // of the policy in the RateLimit fields
	ID      string // tells it from others in a store
	Policy  limit.Policy
	By      []key.Part
	Cost    Cost
	Missing Missing
	DryRun  bool // count, and deny nobody
	// Counter decides; for a limit that is shared, when the store cannot be had.
	Counter limit.Limiter
	Seed    limit.Seed // that the Counter's keys are made with; it stays the same from one generation to the next
	// Noted hears what was taken from the Counter if that is to be told to others; nil otherwise.
	Noted        Noter
	Shared       bool // the filter's Store decides
	OnStoreError OnStoreError
	Tally        *Tally
}

// Noter remembers what is to be told to others.
type Noter interface {
	// Note remembers n units of a key by both its names; negative ones were given back.
	Note(key uint64, name string, n int64)
}

func (l *Limit) isShared() bool { return l.Shared }

// holds reports whether what was taken is given back at the exchange's end.
func (l *Limit) holds() bool { return l.Policy.Algorithm == limit.Concurrency }

// has reports whether the request has all parts of the key.
func (l *Limit) has(x *exchange.Exchange) bool {
	for i := range l.By {
		if !l.By[i].Has(x) {
			return false
		}
	}
	return true
}

// key is the key of the Counter.
func (l *Limit) key(x *exchange.Exchange) uint64 {
	sum := uint64(0)
	for i := range l.By {
		sum = l.By[i].Join(l.Seed, sum, x)
	}
	return sum
}

// sharedKey is the key that all gateways have: short, however long the values are.
func (l *Limit) sharedKey(x *exchange.Exchange) string {
	var room [512]byte
	b := room[:0]
	for i := range l.By {
		b = l.By[i].Append(b, x)
	}
	return SharedKey(b)
}

// SharedKey returns a short text for values by which the same is counted in all gateways. Nobody can find others for the same text.
func SharedKey(values []byte) string {
	sum := sha256.Sum256(values)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// cost returns what the request takes, at least 1.
func (l *Limit) cost(x *exchange.Exchange) int64 {
	if l.Cost.From == nil {
		return l.Cost.Default
	}
	text, ok := l.Cost.From.Value(x)
	if !ok {
		return l.Cost.Default
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > l.Cost.Max {
		return l.Cost.Max
	}
	return max(n, 1)
}

// tallyShards is how many counters share what a limit decides; a power of two.
const tallyShards = 8

// Tally counts what a limit has decided. It may be used by many goroutines at once.
type Tally struct {
	shards [tallyShards]tallyShard
}

// tallyShard has a cache line of its own.
type tallyShard struct {
	allowed, denied, dry, failed atomic.Int64
	_                            [32]byte
}

// Count counts a decision that was made without a RateLimit.
func (t *Tally) Count(allowed bool, err error) {
	switch {
	case err != nil:
		t.shards[0].failed.Add(1)
	case allowed:
		t.shards[0].allowed.Add(1)
	default:
		t.shards[0].denied.Add(1)
	}
}

// Counts are what a limit has decided so far.
type Counts struct {
	Allowed, Denied int64
	Dry             int64 // that would have been denied but for DryRun
	StoreErrors     int64 // decisions for which the store could not be had
}

// Counts returns what was decided so far.
func (t *Tally) Counts() (c Counts) {
	for i := range t.shards {
		s := &t.shards[i]
		c.Allowed += s.allowed.Load()
		c.Denied += s.denied.Load()
		c.Dry += s.dry.Load()
		c.StoreErrors += s.failed.Load()
	}
	return c
}
