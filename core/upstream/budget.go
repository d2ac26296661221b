package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// minRetries is how many retries there may be at once when there are so few exchanges that a share of them says nothing.
	minRetries = 3
	few        = 100
	// budgetSlot is a tenth of the time that the budget is of.
	budgetSlot = time.Second
)

// budget bounds retries by a share of the first tries, so that an upstream that fails is not sent a multiple of what it fails at: those
// of the last ten seconds, or those under way where they are more. (By those under way alone, the many that one silent endpoint has
// collected could not be sent on when they time out.) A try that has not reached any server costs the servers nothing: what is sent in its
// place counts as the first.
type budget struct {
	percent int // of the first tries; 0: no bound
	most    int // retries at once; 0: no bound

	trying   atomic.Int64 // exchanges
	retrying atomic.Int64 // those of them that are paid for
	moved    atomic.Int64 // those that are not
	refused  atomic.Uint64

	mu     sync.Mutex
	lately window // of first tries, and of retries as what goes wrong
}

// share is what one exchange has of the budget.
type share struct {
	paid, moved bool
}

// begin counts an exchange in.
func (b *budget) begin() {
	b.trying.Add(1)
	if b.percent > 0 {
		b.mu.Lock()
		b.lately.count(time.Now(), 1, 0)
		b.mu.Unlock()
	}
}

// end counts an exchange out.
func (b *budget) end(s share) {
	b.free(&s)
	b.trying.Add(-1)
}

func (b *budget) free(s *share) {
	if s.paid {
		b.retrying.Add(-1)
	}
	if s.moved {
		b.moved.Add(-1)
	}
	s.paid, s.moved = false, false
}

// take asks for another try in the exchange's place of the last one.
func (b *budget) take(s *share, free bool) bool {
	b.free(s)
	retrying := b.retrying.Add(1)
	if !b.hasRoom(retrying) || !free && !b.pays(retrying, time.Now()) {
		b.retrying.Add(-1)
		b.refused.Add(1)
		return false
	}
	if free {
		b.moved.Add(1)
		b.retrying.Add(-1)
	}
	s.paid, s.moved = !free, free
	return true
}

func (b *budget) hasRoom(retrying int64) bool {
	return b.most == 0 || retrying+b.moved.Load() <= int64(b.most)
}

// pays charges a retry, if there is something left.
func (b *budget) pays(retrying int64, now time.Time) bool {
	if b.percent == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	first, again := b.lately.sum(now)
	underway := int(b.trying.Load() - retrying)
	always := retrying <= minRetries && first < few
	if !always && (again+1)*100 > b.percent*max(first, underway) {
		return false
	}
	b.lately.count(now, 0, 1)
	return true
}
