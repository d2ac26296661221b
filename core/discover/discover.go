// Package discover finds the endpoints of upstreams, in files and in the DNS, and says when they change.
package discover

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Endpoint is one server that was found.
type Endpoint struct {
	Address  string `json:"address"` // host:port, or unix: and the absolute path of a socket, in the form that equal ones share
	Weight   int    `json:"weight"`  // its share of the exchanges, at least 1
	Zone     string `json:"zone,omitempty"`
	Priority int    `json:"priority,omitempty"` // 0 before 1, and so on
}

// Source is where endpoints are looked up.
type Source interface {
	// Watch calls found with all endpoints that there are, at once and whenever there may be others. It calls it with an error when it
	// could not learn them; a list beside the error, not nil, is to be used all the same: a part of it may be old. Watch returns when ctx
	// has ended and leaves nothing behind. It calls found from one goroutine at a time, and does not keep the list.
	Watch(ctx context.Context, found func(list []Endpoint, err error))
	// Identity says what is looked up where, for logs and status: a kind of source ("file", "dns", "srv") and a name. How it is looked up
	// is no part of it.
	Identity() Identity
}

// Identity is what a Source looks up.
type Identity struct {
	Kind, Name string
}

// Merge returns the endpoints of all lists sorted by address, each address once: as the first list that has it says.
func Merge(lists ...[]Endpoint) []Endpoint {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, byAddress)
	return slices.CompactFunc(all, func(a, b Endpoint) bool { return a.Address == b.Address })
}

func byAddress(a, b Endpoint) int { return cmp.Compare(a.Address, b.Address) }

// wait waits, and reports false when ctx has ended before.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
