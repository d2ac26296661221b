package cases

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin"
)

// stubs answer a plugin's fetches from its case. They may be used by many goroutines.
type stubs struct {
	list []config.CaseFetch

	mu    sync.Mutex
	asked []string
	notes []string
}

// upstreams returns what the plugin may ask: the upstreams that the case has answers for.
func (s *stubs) upstreams() map[string]plugin.Fetcher {
	all := map[string]plugin.Fetcher{}
	for _, f := range s.list {
		all[f.Upstream] = &stub{s, f.Upstream}
	}
	return all
}

// requests returns what was asked, sorted: fetches run side by side.
func (s *stubs) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.asked)
	return s.asked
}

// stub is one upstream.
type stub struct {
	*stubs
	name string
}

// Fetch implements plugin.Fetcher.
func (s *stub) Fetch(x *exchange.Exchange, _ time.Time) *fault.Fault {
	target := x.Req.Path
	if x.Req.Query != "" {
		target += "?" + x.Req.Query
	}
	asked := fmt.Sprintf("%s %s %s", x.Req.Method, s.name, target)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, asked)
	for i := range s.list {
		f := &s.list[i]
		if f.Upstream == s.name && (f.Method == "" || f.Method == x.Req.Method) && (f.Path == "" || f.Path == target || f.Path == x.Req.Path) {
			return answer(x, f)
		}
	}
	s.notes = append(s.notes, fmt.Sprintf("no [[cases.fetch]] answers %s: the plugin was told that the upstream is unavailable", asked))
	return fault.Wrap(fault.Unavailable, fault.Upstream, errors.New("the case has no answer"))
}

func answer(x *exchange.Exchange, f *config.CaseFetch) *fault.Fault {
	switch f.Failure {
	case "timeout":
		return fault.New(fault.GatewayTimeout, fault.Upstream, "")
	case "unavailable":
		return fault.New(fault.Unavailable, fault.Upstream, "")
	}
	fill(&x.Resp, &f.Answer)
	return nil
}
