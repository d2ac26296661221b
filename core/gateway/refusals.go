package gateway

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// Bounds of what is remembered of refusals.
const (
	maxRefusals     = 256 // kinds
	maxRefusalText  = 256 // bytes of each text that comes from a request
	exampleInterval = 100 * time.Millisecond
	staleRefusal    = time.Minute // a kind that was not seen for so long makes room for another
)

// RefusalAttr is the attribute by which a plugin that refuses a request says why: for operators, not for clients.
const RefusalAttr = "refusal"

// Refusal is one kind of bad end of exchanges: answers of 400 and above, whoever made them, and faults. With it come its number and the
// latest example.
type Refusal struct {
	RefusalKind
	Count   uint64         `json:"count"`
	First   time.Time      `json:"first"`
	Last    time.Time      `json:"last"`
	Example RefusalExample `json:"example"`
}

// RefusalKind is what makes refusals the same.
type RefusalKind struct {
	Route  string `json:"route"`                 // "" where none was found
	Status int    `json:"status"`                // 0: there was no answer
	By     string `json:"answered_by"`           // "gateway", "upstream", "route", "filter", "plugin"
	Filter string `json:"filter,omitempty"`      // that answered or failed
	Limit  string `json:"limit,omitempty"`       // that said no
	Code   string `json:"reason_code,omitempty"` // as in the access log
}

// RefusalExample is one of a kind of refusals. Queries and parameters of paths are left out: they may hold secrets.
type RefusalExample struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"request_id"`
	Client    string    `json:"client"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	Path      string    `json:"path"`
	Reason    string    `json:"reason,omitempty"`
}

// refusals remembers them, from the start of the process on. Exchanges that end well never come near.
type refusals struct {
	mu     sync.Mutex
	kinds  map[RefusalKind]*Refusal
	swept  time.Time
	missed uint64 // that found no room
}

// note takes in an exchange that has ended.
func (r *refusals) note(x *exchange.Exchange) {
	if x.Resp.Status < 400 && x.Fault == nil {
		return
	}
	kind := RefusalKind{Route: x.Route, Status: x.Resp.Status, By: x.By.String(), Filter: x.Filter, Limit: x.Limit, Code: x.Ended().String()}
	now := x.Times.Start // reading no clock keeps a flood of 404 cheap
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.kinds[kind]
	if known == nil {
		if known = r.add(kind, now); known == nil {
			r.missed++
			return
		}
	}
	known.Count++
	if known.Count == 1 || now.Sub(known.Example.Time) > exampleInterval {
		known.Example = exampleOf(x, now)
	}
	known.Last = now
}

// add makes room for a kind, nil if there is none.
func (r *refusals) add(kind RefusalKind, now time.Time) *Refusal {
	if r.kinds == nil {
		r.kinds = map[RefusalKind]*Refusal{}
	}
	if len(r.kinds) >= maxRefusals && now.Sub(r.swept) > time.Second { // looking for room costs more than counting
		r.swept = now
		for old, refusal := range r.kinds {
			if now.Sub(refusal.Last) > staleRefusal {
				delete(r.kinds, old)
			}
		}
	}
	if len(r.kinds) >= maxRefusals {
		return nil
	}
	kind.Limit, kind.Filter = strings.Clone(kind.Limit), strings.Clone(kind.Filter)
	added := &Refusal{RefusalKind: kind, First: now}
	r.kinds[kind] = added
	return added
}

// exampleOf copies: a part of a head would keep all of it.
func exampleOf(x *exchange.Exchange, now time.Time) RefusalExample {
	e := RefusalExample{
		Time: now, RequestID: short(x.ID), Client: x.Addr.String(), Method: short(x.Req.Method), Host: short(x.Req.Host), Path: shortPath(x.Asked.Path),
	}
	switch {
	case x.Fault != nil:
		e.Reason = short(reasonOf(x.Fault))
	case x.By == exchange.ByPlugin:
		said, _ := x.Attr(RefusalAttr)
		e.Reason = short(said)
	}
	return e
}

// reasonOf is what the client was told. Where a plugin failed that is nothing, and its cause (of which the host says how, and the guest nothing)
// is what the operator wants to know.
func reasonOf(f *fault.Fault) string {
	if f.Reason == "" && f.Side == fault.Plugin && f.Err != nil {
		return f.Err.Error()
	}
	return f.Reason
}

// shortPath tells nothing of a target that is no path: its head was refused, and it may hold a password. The parameters of segments, such
// as ";jsessionid=", are left out as the query is.
func shortPath(path string) string {
	if !strings.HasPrefix(path, "/") {
		return ""
	}
	path, _, _ = strings.Cut(path, "?")
	if strings.IndexByte(path, ';') < 0 {
		return short(path)
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return short(strings.Join(segments, "/"))
}

func short(text string) string {
	if len(text) > maxRefusalText {
		return strings.ToValidUTF8(text[:maxRefusalText], "") + "…"
	}
	return strings.Clone(text)
}

// Refusals returns how exchanges have ended badly since the start, the kind that was seen last first, and how many found no room.
func (g *Gateway) Refusals() (list []Refusal, missed uint64) {
	g.refusals.mu.Lock()
	defer g.refusals.mu.Unlock()
	list = make([]Refusal, 0, len(g.refusals.kinds))
	for _, r := range g.refusals.kinds {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b Refusal) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Status, b.Status))
	})
	return list, g.refusals.missed
}
