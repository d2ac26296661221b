package plugin

import (
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

var errLost = errors.New("the instance that the exchange kept to has failed")

// seat is an instance that exchanges keep to, for plugins that ask for the lease `bound`. Their hooks run one at a time.
type seat struct {
	pool *Pool
	turn chan struct{} // holds one while a hook runs
	i    *instance

	// Guarded by the fleet's lock.
	lost  bool // it has failed
	worn  bool
	users int // exchanges
}

// seatOf returns the instance that an exchange keeps to, a new one at its first hook.
func (p *Pool) seatOf(x *exchange.Exchange, place int) (*seat, error) {
	k := keptOf(x, place, true)
	if k.seat == nil {
		s, err := p.sit()
		if err != nil {
			return nil, err
		}
		k.seat = s
	}
	return k.seat, nil
}

// sit finds the instance with the fewest exchanges. There are no more of them than cores: while one waits, others run on its instance.
func (p *Pool) sit() (*seat, error) {
	f := &p.plugin.fleet
	f.mu.Lock()
	var best *seat
	for _, s := range p.seats {
		if best == nil || s.users < best.users {
			best = s
		}
	}
	if best != nil && (best.users == 0 || len(p.seats) >= min(runtime.GOMAXPROCS(0), f.max)) {
		best.users++
		f.mu.Unlock()
		return best, nil
	}
	f.mu.Unlock()
	i, err := p.lease()
	if err != nil {
		return nil, err
	}
	s := &seat{pool: p, turn: make(chan struct{}, 1), i: i, users: 1}
	f.mu.Lock()
	p.seats = append(p.seats, s)
	f.mu.Unlock()
	return s, nil
}

// enter waits for the instance, for a bounded time; exit or lose must follow.
func (s *seat) enter() (*instance, error) {
	if !s.takeTurn() {
		return nil, errBusy
	}
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.lost {
		<-s.turn
		return nil, errLost
	}
	return s.i, nil
}

// takeTurn reports whether the turn came in time: the hook that runs may be waiting for a fetch.
func (s *seat) takeTurn() bool {
	select {
	case s.turn <- struct{}{}:
		return true
	default:
	}
	timeout := time.NewTimer(s.pool.plugin.limits.WaitTimeout)
	defer timeout.Stop()
	select {
	case s.turn <- struct{}{}:
		return true
	case <-timeout.C:
		return false
	}
}

// exit ends a hook that went well. An instance that is worn gets no new exchanges.
func (s *seat) exit() {
	used, worn := s.i.call.tank.used(), s.i.worn()
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	s.pool.stats.count(used)
	if s.worn = worn; worn {
		s.remove()
	}
	<-s.turn
}

// lose ends a hook that failed. All exchanges that keep to the instance will fail, too.
func (s *seat) lose(cause Cause) {
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	s.lost = true
	s.remove()
	f.mu.Unlock()
	<-s.turn
	s.pool.drop(s.i, cause)
}

// leave ends the stay of an exchange. The last one gives the instance back.
func (s *seat) leave() {
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	s.users--
	if s.users > 0 || s.lost {
		f.mu.Unlock()
		return
	}
	s.remove()
	s.pool.shelve(s.i, s.worn)
}

// remove takes the seat off the pool's list. It is called with the fleet's lock held.
func (s *seat) remove() {
	s.pool.seats = slices.DeleteFunc(s.pool.seats, func(other *seat) bool { return other == s })
}
