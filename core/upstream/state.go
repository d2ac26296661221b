package upstream

// State is how an Upstream as a whole is doing at one moment. Counts are since it was made.
type State struct {
	Retries    uint64 // further tries of exchanges
	Retrying   int64  // of those that are under way now
	OverBudget uint64 // retries that were not made since there were too many at once
	Pending    int64  // exchanges that wait for room now
	Overflowed uint64 // exchanges, or tries, that were refused since there was no room
	Unserved   uint64 // exchanges that were refused since every endpoint's breaker was open
}

// State returns how the Upstream is doing.
func (u *Upstream) State() State {
	s := State{Retries: u.retries.Load(), Unserved: u.unserved.Load()}
	if c := u.care; c != nil {
		s.Retrying = c.budget.retrying.Load() + c.budget.moved.Load()
		s.OverBudget = c.budget.refused.Load()
		if c.gate != nil {
			s.Pending, s.Overflowed = c.gate.pending.Load(), c.gate.overflew.Load()
		}
	}
	return s
}
