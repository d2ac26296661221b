// Package pace holds back long work that is not urgent, so that short work that is urgent finds a core free.
package pace

import "time"

const (
	// piece is how long is worked at once: less than what a client notices, more than a switch of goroutines costs.
	piece = 500 * time.Microsecond
	// pause is how long is rested after a piece. It is a sleep and not a mere yield, since the scheduler looks for what has come from the
	// network only when there is nothing else to run.
	pause = 3 * time.Millisecond
)

// Pace bounds one goroutine's long work to a seventh of one core. The zero value is ready for use. It belongs to one goroutine.
type Pace struct {
	began time.Time // the piece that is worked on
}

// Rest is called between small steps of the work, as often as is convenient. It mostly returns at once, and sleeps when enough was done.
func (p *Pace) Rest() {
	now := time.Now()
	switch {
	case p.began.IsZero():
		p.began = now
	case now.Sub(p.began) >= piece:
		time.Sleep(pause)
		p.began = time.Now()
	}
}
