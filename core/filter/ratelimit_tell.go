package filter

import (
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/limit"
)

// told are the parts of the RateLimit fields that never change, by limit.
type told struct {
	policies []string // items of RateLimit-Policy
	all      string   // of them, as one field
	names    []string // beginnings of items of RateLimit
}

func newTold(limits []*Limit) (t told) {
	for _, l := range limits {
		name := strconv.Quote(l.Name)
		t.policies = append(t.policies, name+policyParameters(l.Policy))
		t.names = append(t.names, name+";r=")
	}
	var every [MaxLimits]turn
	for i, l := range limits {
		every[i].outcome = granted
		if l.DryRun {
			every[i].outcome = passed
		}
	}
	t.all = string(t.appendPolicies(nil, limits, every[:len(limits)]))
	return t
}

// policyParameters are the quota and its window. A month's window has no length of its own, and what is open at once has none at all.
func policyParameters(p limit.Policy) string {
	q := ";q=" + strconv.FormatInt(p.Count, 10)
	switch {
	case p.Algorithm == limit.Concurrency:
		return q + `;qu="concurrent-requests"`
	case p.Per == limit.Month:
		return q
	}
	return q + ";w=" + strconv.FormatInt(seconds(p.Per), 10)
}

// isTold reports whether the client hears of a limit: not of one that was not asked in the end, nor of one that is tried out.
func (t *turn) isTold(l *Limit) bool {
	switch {
	case l.DryRun || t.outcome == passed || t.outcome == failing:
		return false
	}
	return t.outcome != unasked || !l.isShared()
}

func (t *told) appendPolicies(b []byte, limits []*Limit, turns []turn) []byte {
	for i, l := range limits {
		if !turns[i].isTold(l) {
			continue
		}
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, t.policies[i]...)
	}
	return b
}

// tell adds the fields to the response.
func (r *RateLimit) tell(x *exchange.Exchange, turns []turn) {
	var room [512]byte
	b, least, n := room[:0], -1, 0
	for i := range turns {
		t, l := &turns[i], r.o.Limits[i]
		if !t.isTold(l) {
			continue
		}
		if n++; n > 1 {
			b = append(b, ", "...)
		}
		b = t.append(append(b, r.told.names[i]...), l)
		if least < 0 || t.decision.Remaining < turns[least].decision.Remaining {
			least = i
		}
	}
	if n == 0 {
		return
	}
	policy := r.told.all
	if n < len(turns) {
		var room [1024]byte
		policy = x.Text.Copy(r.told.appendPolicies(room[:0], r.o.Limits, turns))
	}
	x.Resp.Fields.Add("RateLimit-Policy", policy)
	x.Resp.Fields.Add("RateLimit", x.Text.Copy(b))
	if r.o.Legacy {
		r.tellLegacy(x, &turns[least], r.o.Limits[least])
	}
}

// append appends what is left of the limit.
func (t *turn) append(b []byte, l *Limit) []byte {
	b = strconv.AppendInt(b, t.decision.Remaining, 10)
	if l.Policy.Algorithm == limit.Concurrency {
		return b
	}
	return strconv.AppendInt(append(b, ";t="...), seconds(t.decision.Reset), 10)
}

// tellLegacy adds the fields that most clients know: they can name one limit only.
func (r *RateLimit) tellLegacy(x *exchange.Exchange, t *turn, l *Limit) {
	x.Resp.Fields.Set("X-RateLimit-Limit", number(x, l.Policy.Count))
	x.Resp.Fields.Set("X-RateLimit-Remaining", number(x, t.decision.Remaining))
	x.Resp.Fields.Set("X-RateLimit-Reset", number(x, seconds(t.decision.Reset)))
}

// seconds rounds up: whoever comes back then finds it true.
func seconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

func number(x *exchange.Exchange, n int64) string {
	var room [20]byte
	return x.Text.Copy(strconv.AppendInt(room[:0], n, 10))
}
