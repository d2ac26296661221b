package upstream

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/header"
)

// soon is the most that the first check of an endpoint waits: long enough for those of many endpoints not to fall together.
const soon = time.Second

// check checks one endpoint again and again. Between two checks it is a timer and no goroutine.
type check struct {
	home     *checker
	of       *standing
	endpoint *Endpoint
	over     chan struct{} // closed by end

	mu    sync.Mutex
	timer *time.Timer
	ended bool
}

func newCheck(home *checker, of *standing, one EndpointOptions) (*check, error) {
	e, err := home.endpoint(one)
	if err != nil {
		return nil, err
	}
	return &check{home: home, of: of, endpoint: e, over: make(chan struct{})}, nil
}

// firstCheck returns how long the first check waits. Where there are results from before a reload, there is no hurry.
func firstCheck(known bool, interval time.Duration) time.Duration {
	if known {
		return jittered(0, interval)
	}
	return jittered(0, min(interval, soon))
}

func jittered(d, jitter time.Duration) time.Duration {
	if jitter <= 0 {
		return d
	}
	return d + rand.N(jitter)
}

// arm has the next check begin after d, unless there is to be none.
func (k *check) arm(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.ended:
	case k.timer == nil:
		k.timer = time.AfterFunc(d, k.run)
	default:
		k.timer.Reset(d)
	}
}

// end ends the checks. One that is under way is given up, and its result is of no interest.
func (k *check) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return
	}
	k.ended = true
	close(k.over)
	if k.timer != nil {
		k.timer.Stop()
	}
}

// run does one check when its turn comes.
func (k *check) run() {
	select {
	case <-k.over:
		return
	case k.home.slots <- struct{}{}:
	}
	if k.Gone() { // both may have been possible
		<-k.home.slots
		return
	}
	began := time.Now()
	err := k.home.ask(k)
	<-k.home.slots
	k.arm(k.of.checked(began, time.Since(began), err))
}

// Gone reports whether the checks have ended: a check is its exchange's client, so that it is not waited for any longer.
func (k *check) Gone() bool {
	select {
	case <-k.over:
		return true
	default:
		return false
	}
}

// Interim takes a 1xx answer, which says nothing about health.
func (k *check) Interim(int, *header.Fields) error { return nil }
