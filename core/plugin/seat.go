package plugin

import (
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/sallyport/sallyport/core/exchange"
)

var errLost = errors.New("the instance that the exchange kept to has failed")

// seat is an instance that exchanges keep to, for plugins that ask for the lease `bound`. Their hooks run one at a time.
type seat struct {
	pool *Pool
	mu   sync.Mutex // held while a hook runs
	i    *instance
	lost bool // it has failed

	users int // exchanges; guarded by the fleet's lock
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
	s := &seat{pool: p, i: i, users: 1}
	f.mu.Lock()
	p.seats = append(p.seats, s)
	f.mu.Unlock()
	return s, nil
}

// enter waits for the instance; exit or lose must follow.
func (s *seat) enter() (*instance, error) {
	s.mu.Lock()
	if s.lost {
		s.mu.Unlock()
		return nil, errLost
	}
	return s.i, nil
}

// exit ends a hook that went well. An instance that is worn gets no new exchanges.
func (s *seat) exit() {
	used, worn := s.i.call.tank.used(), s.i.worn()
	s.mu.Unlock()
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	s.pool.stats.count(used)
	if worn {
		s.remove()
	}
}

// lose ends a hook that failed. All exchanges that keep to the instance will fail, too.
func (s *seat) lose(cause Cause) {
	s.lost = true
	s.mu.Unlock()
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	s.remove()
	f.mu.Unlock()
	s.pool.drop(s.i, cause)
}

// leave ends the stay of an exchange. The last one gives the instance back.
func (s *seat) leave() {
	s.mu.Lock()
	lost, worn := s.lost, !s.lost && s.i.worn()
	s.mu.Unlock()
	f := &s.pool.plugin.fleet
	f.mu.Lock()
	s.users--
	if s.users > 0 || lost {
		f.mu.Unlock()
		return
	}
	s.remove()
	s.pool.shelve(s.i, worn)
}

// remove takes the seat off the pool's list. It is called with the fleet's lock held.
func (s *seat) remove() {
	s.pool.seats = slices.DeleteFunc(s.pool.seats, func(other *seat) bool { return other == s })
}
