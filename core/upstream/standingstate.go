package upstream

import "time"

// StandingState is an endpoint's standing at one moment, in the form that the admin API shows.
type StandingState struct {
	Usable   bool           `json:"usable"`            // it gets exchanges
	Why      []string       `json:"why,omitempty"`     // not: "check_failed", "unchecked", "ejected", "drained"
	Since    time.Time      `json:"since"`             // it is usable, or not
	Joined   time.Time      `json:"joined"`            // when the endpoint was first among those of the upstream
	Check    *CheckState    `json:"check,omitempty"`   // nil without health checks
	Ejection *EjectionState `json:"ejected,omitempty"` // nil without ejection
}

// CheckState is how an endpoint's health checks went.
type CheckState struct {
	Passed bool      `json:"passed"`         // the last one
	Result string    `json:"result"`         // of the last one: "passed", or why not; "" before the first
	At     time.Time `json:"at,omitzero"`    // when the last one began
	Took   string    `json:"took,omitempty"` // the last one, such as "1.2ms"
	Total  uint64    `json:"total"`          // checks so far…
	Failed uint64    `json:"failed"`         // and those that were not passed
	InARow int       `json:"same_in_a_row"`  // results like the last one
}

// EjectionState is what an endpoint's exchanges say of it.
type EjectionState struct {
	Count   uint64            `json:"count"`            // ejections so far…
	Causes  map[string]uint64 `json:"causes,omitempty"` // by what they were for: "consecutive_errors", "success_rate"
	Spared  uint64            `json:"spared"`           // ejections that did not happen: too many others were out, or it was the last
	Times   int               `json:"times"`            // what the base time is multiplied by, going down while it serves
	Until   time.Time         `json:"until,omitzero"`   // of the ejection that is under way
	InARow  int64             `json:"errors_in_a_row"`  // gateway errors since another answer
	Errors  map[string]uint64 `json:"errors,omitempty"` // "gateway", "server", "connect", "broken", "timeout"
	Answers uint64            `json:"answers"`          // other answers
}

// reasonNames returns the reasons as logs and the admin API show them.
func reasonNames(reasons uint32) []string {
	names := []string{} // none is shown as an empty list and not as null
	for i, name := range [...]string{"check_failed", "unchecked", "ejected", "drained"} {
		if reasons&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (s *standing) state() StandingState {
	s.mu.Lock()
	defer s.mu.Unlock()
	reasons := s.reasons.Load()
	state := StandingState{Usable: reasons == 0, Why: reasonNames(reasons), Since: s.since, Joined: s.joined}
	if s.check != nil {
		state.Check = s.checks.state()
	}
	if s.tally != nil {
		state.Ejection = s.ejected.state(s.tally, reasons&reasonEjected != 0)
	}
	return state
}

func (r *checkRecord) state() *CheckState {
	state := &CheckState{Total: r.total, Failed: r.failed, At: r.at, InARow: max(r.passes, r.fails)}
	switch {
	case r.total == 0:
		return state
	case r.err == nil:
		state.Passed, state.Result = true, "passed"
	default:
		state.Result = r.err.Error()
	}
	state.Took = r.took.Round(10 * time.Microsecond).String()
	return state
}

func (r *ejectRecord) state(t *tally, out bool) *EjectionState {
	state := &EjectionState{Spared: r.spared, Times: r.times, InARow: t.inARow.Load(), Answers: t.counts[outcomeAnswered].Load()}
	if out {
		state.Until = r.until
	}
	for cause, n := range r.causes {
		state.Count += n
		addCount(&state.Causes, ejectCause(cause).String(), n)
	}
	for o := outcomeAnswered + 1; o < outcomeCount; o++ {
		addCount(&state.Errors, o.String(), t.counts[o].Load())
	}
	return state
}

// addCount leaves out what never happened.
func addCount(to *map[string]uint64, name string, n uint64) {
	if n == 0 {
		return
	}
	if *to == nil {
		*to = map[string]uint64{}
	}
	(*to)[name] = n
}
