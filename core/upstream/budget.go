package upstream

import "sync/atomic"

// minRetries is how many retries there may be at once however few exchanges there are.
const minRetries = 3

// budget bounds how many retries there are at once, so that an upstream that fails is not sent a multiple of what it fails at. A try that
// has not reached any server costs the servers nothing: what is sent in its place counts as the first.
type budget struct {
	percent int // of the first tries; 0: no bound
	most    int // at once; 0: no bound

	trying   atomic.Int64 // exchanges
	retrying atomic.Int64 // those of them that are paid for
	moved    atomic.Int64 // those that are not
	refused  atomic.Uint64
}

// share is what one exchange has of the budget.
type share struct {
	paid, moved bool
}

func (b *budget) begin() { b.trying.Add(1) }

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
	first := b.trying.Load() - retrying
	allowed := free || b.percent == 0 || retrying <= minRetries || retrying*100 <= int64(b.percent)*first
	allowed = allowed && (b.most == 0 || retrying+b.moved.Load() <= int64(b.most))
	switch {
	case !allowed:
		b.retrying.Add(-1)
		b.refused.Add(1)
	case free:
		b.moved.Add(1)
		b.retrying.Add(-1)
		s.moved = true
	default:
		s.paid = true
	}
	return allowed
}
