package upstream

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/fault"
)

// EjectOptions say when an endpoint gets no exchanges for a while because of how those that it had went.
type EjectOptions struct {
	ConsecutiveErrors int           // in a row, of 502, 503, 504, no connection, a broken one or a late answer; 0: any number will do
	SuccessRate       *RateOptions  // nil: endpoints are not compared
	Interval          time.Duration // how often they are; and as long as an endpoint serves, each takes one from its times ejected
	BaseTime          time.Duration // an ejection lasts so long, times how often the endpoint was ejected, and up to a tenth more…
	MaxTime           time.Duration // but, without the tenth, not longer than that
	MaxShare          int           // percent of the endpoints that are out at once; one may always be, but never the last that is usable
}

// jitterShare of an ejection's time is the most that is added to it, so that those ejected together do not come back together.
const jitterShare = 10

// ejector ejects endpoints of one Upstream.
type ejector struct {
	home    *Upstream
	options EjectOptions

	mu    sync.Mutex  // held while it is decided whether one more may go
	sweep *time.Timer // compares the endpoints; nil if they are not
}

func newEjector(u *Upstream, o *EjectOptions) (*ejector, error) {
	switch {
	case o == nil:
		return nil, nil
	case o.Interval <= 0 || o.BaseTime <= 0 || o.MaxTime < o.BaseTime || o.MaxShare < 1:
		return nil, errors.New("ejection needs an interval, a base time, a maximum that is not less, and a share")
	}
	return &ejector{home: u, options: *o}, nil
}

// tally counts how an endpoint's tries went. It is there only when endpoints can be ejected.
type tally struct {
	of     *standing
	inARow atomic.Int64 // gateway errors
	tries  atomic.Int64 // since endpoints were last compared…
	good   atomic.Int64 // and those among them without a 5xx or worse
	counts [outcomeCount]atomic.Uint64
}

// note takes in how a try went: its fault, or the status of its answer.
func (e *Endpoint) note(f *fault.Fault, status int, send *Send) {
	if t := e.standing.tally; t != nil {
		t.take(f, status, send)
	}
}

func (t *tally) take(f *fault.Fault, status int, send *Send) { t.note(outcomeOf(f, status, send)) }

func (t *tally) note(o outcome) {
	if o == outcomeNeutral {
		return
	}
	options := &t.of.home.ejector.options
	t.counts[o].Add(1)
	if options.SuccessRate != nil {
		t.tries.Add(1)
		if o == outcomeAnswered {
			t.good.Add(1)
		}
	}
	if !o.isGatewayError() {
		if t.inARow.Load() != 0 { // written only when need be: others read it
			t.inARow.Store(0)
		}
		return
	}
	limit := int64(options.ConsecutiveErrors)
	if n := t.inARow.Add(1); limit > 0 && n%limit == 0 {
		t.of.home.ejector.eject(t.of, tooManyErrors, "too many errors in a row, the last: "+o.String())
	}
}

func (t *tally) takeOver(from *tally) {
	t.inARow.Store(from.inARow.Load())
	t.tries.Store(from.tries.Load())
	t.good.Store(from.good.Load())
	for i := range t.counts {
		t.counts[i].Store(from.counts[i].Load())
	}
}

// ejectCause is what an endpoint is ejected for.
type ejectCause uint8

const (
	tooManyErrors ejectCause = iota
	poorRate
	ejectCauses // how many there are
)

// String returns the cause as the admin API shows it.
func (c ejectCause) String() string {
	return [...]string{"consecutive_errors", "success_rate"}[c]
}

// ejectRecord is how an endpoint was ejected; of the standing, guarded by its lock.
type ejectRecord struct {
	causes [ejectCauses]uint64
	spared uint64
	times  int       // ejected, less those that are forgotten
	until  time.Time // of the last ejection
	back   time.Time // when that was over
	timer  *time.Timer
}

// eject ejects an endpoint, unless it is already or too many are.
func (j *ejector) eject(s *standing, cause ejectCause, why string) {
	j.mu.Lock()
	s.mu.Lock()
	if s.stopped || !s.started || s.reasons.Load()&reasonEjected != 0 {
		s.mu.Unlock()
		j.mu.Unlock()
		return
	}
	if !j.hasRoom(s) {
		s.ejected.spared++
		s.mu.Unlock()
		j.mu.Unlock()
		return
	}
	s.ejected.causes[cause]++
	s.ejected.begin(&j.options, time.Now())
	s.ejected.timer = time.AfterFunc(time.Until(s.ejected.until), s.comeBack)
	before, after := s.mark(reasonEjected, 0)
	s.mu.Unlock()
	j.mu.Unlock()
	s.announce(before, after, why)
}

// hasRoom reports whether one more may be ejected.
func (j *ejector) hasRoom(s *standing) bool {
	all := j.home.all()
	out, others := 0, 0
	for _, e := range all {
		switch reasons := e.standing.reasons.Load(); {
		case reasons&reasonEjected != 0:
			out++
		case reasons == 0 && e.standing != s:
			others++
		}
	}
	return out < max(1, len(all)*j.options.MaxShare/100) && others > 0
}

// begin sets how long an ejection lasts that begins now. Times ejected are forgotten one by one while the endpoint serves.
func (r *ejectRecord) begin(o *EjectOptions, now time.Time) {
	if !r.back.IsZero() {
		r.times -= int(min(int64(now.Sub(r.back)/o.Interval), int64(r.times)))
	}
	if o.BaseTime*time.Duration(r.times) < o.MaxTime { // more would only take longer to be forgotten
		r.times++
	}
	lasts := min(o.BaseTime*time.Duration(r.times), o.MaxTime)
	r.until = now.Add(lasts + rand.N(lasts/jitterShare+1))
}

// comeBack ends an ejection: the endpoint begins anew.
func (s *standing) comeBack() {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return
	}
	s.ejected.back = time.Now()
	s.tally.inARow.Store(0)
	before, after := s.mark(0, reasonEjected)
	s.mu.Unlock()
	s.announce(before, after, "its ejection is over")
}
