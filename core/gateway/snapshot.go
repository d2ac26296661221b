package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/backend"
	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/discover"
	"github.com/sallyport/sallyport/core/engine"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/metrics"
	"github.com/sallyport/sallyport/core/pace"
	"github.com/sallyport/sallyport/core/password"
	"github.com/sallyport/sallyport/core/route"
	"github.com/sallyport/sallyport/core/schema"
	"github.com/sallyport/sallyport/core/trace"
	"github.com/sallyport/sallyport/core/upstream"
)

// pinShards is how many counters share the exchanges of a Snapshot; a power of two.
const pinShards = 32

// answerer is what ends a chain: it fills the response or says why it could not.
type answerer interface {
	Answer(x *exchange.Exchange) *fault.Fault
}

// servedRoute is a Route as built: what serve.go needs of it and nothing else.
type servedRoute struct {
	snapshot      *Snapshot
	name          string
	chain         *chain.Chain
	backend       answerer
	rejectEncoded []string
	pattern       string        // of the path
	share         *trace.Share  // of the traces that begin at it; nil: as of all
	callsHTTP2    bool          // the upstream can take gRPC calls, but maybe none of gRPC-Web
	idle          time.Duration // of Exchange.Idle
	answers       exchange.By   // who does where nothing goes wrong
	unlogged      bool
	counted       *metrics.Route // nil: its exchanges are not counted
}

// Snapshot is one immutable generation of everything built from one config. Exchanges pin the one that they began
// with; once retired it closes when the last of them has ended, and it is never published again.
type Snapshot struct {
	Generation uint64
	Config     *config.Config
	Built      time.Time

	table     *route.Table
	routes    []servedRoute
	plugins   map[string]*loadedPlugin
	upstreams map[string]*upstream.Upstream
	feeds     map[string]*discover.Feed // by upstream, of those that have a source
	tls       map[string]*engine.TLS    // by the listener's address; not there: plain
	stores    map[string]sharedStore
	passwords map[string]*password.Set
	schemas   *schema.Set
	limits    map[string]*counts // by the name that /status has for them
	releases  []func()           // lets go of what is shared with other generations, in the order of taking
	updates   []func()           // of what is shared: run when the Snapshot is the current one

	concurrency map[string]*filter.Concurrency // by route; "": of all together
	splits      map[string]*backend.Split
	mirrors     map[string]*backend.Mirror

	counts             bool            // exchanges are counted
	filters            []countedFilter // the plugins in the routes' chains
	ledger             *ledger
	tracing            *tracing // nil: off
	spansTo, metricsTo collector

	pins    [pinShards]pinCount
	retired atomic.Bool
	once    sync.Once
}

// pinCount has a cache line of its own, else the cores would pass one line around for each request.
type pinCount struct {
	n atomic.Int64
	_ [56]byte
}

// pin keeps s open for an exchange; unpin must follow with the same shard.
func (s *Snapshot) pin(shard uint32) { s.pins[shard%pinShards].n.Add(1) }

func (s *Snapshot) unpin(shard uint32) {
	s.pins[shard%pinShards].n.Add(-1)
	if s.retired.Load() {
		s.closeIfUnused()
	}
}

// retire closes s as soon as nothing uses it. It must not be the published one any more.
func (s *Snapshot) retire() {
	s.retired.Store(true)
	s.closeIfUnused()
}

// closeIfUnused needs no lock: whoever pins for good found s published, so it was counted before s was retired, and is seen
// here until it unpins; and the last to unpin looks here itself.
func (s *Snapshot) closeIfUnused() {
	for i := range s.pins {
		if s.pins[i].n.Load() != 0 {
			return
		}
	}
	// Closing plugins takes a while; the exchange that happens to be the last one should not pay for it.
	s.once.Do(func() { go s.close((&pace.Pace{}).Rest) })
}

// close lets go of everything, users before what they use: pools before their plugins. It calls rest between.
func (s *Snapshot) close(rest func()) {
	if s.ledger != nil {
		s.ledger.leave(s)
	}
	for _, release := range slices.Backward(s.releases) {
		rest()
		release()
	}
}
