// Package gateway builds Snapshots from configs and takes every exchange through the current one.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/discover"
	"github.com/sallyport/sallyport/core/engine"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/jwt"
	"github.com/sallyport/sallyport/core/metrics"
	"github.com/sallyport/sallyport/core/pace"
	"github.com/sallyport/sallyport/core/password"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/schema"
	"github.com/sallyport/sallyport/core/store"
	"github.com/sallyport/sallyport/core/telemetry"
	"github.com/sallyport/sallyport/core/upstream"
)

// sweepInterval is how often plugins give up instances that nobody uses.
const sweepInterval = 10 * time.Second

// Gateway serves exchanges with the current Snapshot and puts a new one in its place when told to. Its methods may be
// called from any goroutine.
type Gateway struct {
	// Version is what metrics tell; it is to be set before the first Apply.
	Version string

	log     *slog.Logger
	began   time.Time
	current atomic.Pointer[Snapshot]
	access  atomic.Pointer[telemetry.AccessLog]

	mu           sync.Mutex // one Apply or Drain at a time
	engine       *engine.Engine
	host         *plugin.Host
	cache        string // the folder that host was made with
	listeners    map[string]*engine.Listener
	accessTarget string
	generations  uint64
	draining     atomic.Bool

	plugins   shelf[*plugin.Plugin]
	pools     shelf[*plugin.Pool]
	upstreams shelf[*upstream.Upstream]
	limits    shelf[*counts]
	stores    shelf[*store.Memory]
	shared    shelf[*store.Redis]
	keys      shelf[*jwt.Keys]
	passwords shelf[*password.Set]
	checkers  *password.Workers // of all sets together
	schemas   shelf[*schema.Set]
	pairs     shelf[*tls.Certificate]
	tls       shelf[*engine.TLS]
	discovery discovery
	examined  map[string]bool // hashes of plugin files that no chain names and that were looked at already

	concurrency shelf[*filter.Concurrency]

	book      *metrics.Book
	ledger    ledger
	reloads   reloads
	refusals  refusals
	listening atomic.Pointer[map[string]*engine.Listener] // as listeners, for those that cannot wait for mu
	push      metricPush
	traces    telemetry.Traces
	spansTo   string         // the key of the collector of the current Snapshot
	closing   sync.WaitGroup // former exporters of traces

	stopSweep context.CancelFunc
}

// New makes a gateway that serves nothing yet.
func New(log *slog.Logger) *Gateway {
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gateway{
		Version: "unknown", log: log, began: time.Now(), book: metrics.NewBook(), listeners: map[string]*engine.Listener{}, examined: map[string]bool{},
		stopSweep: cancel, checkers: password.NewWorkers(),
	}
	g.discovery.folders, g.discovery.queries = discover.NewFolders(log), map[string]chan struct{}{}
	g.engine = engine.New(g, log)
	go g.sweep(ctx)
	return g
}

// Current returns the Snapshot that new exchanges begin with, nil before the first Apply. It may be looked at for
// as long as the caller likes, but its parts are closed once it is retired.
func (g *Gateway) Current() *Snapshot { return g.current.Load() }

// Ready reports whether the gateway serves and does not mean to stop.
func (g *Gateway) Ready() bool { return g.current.Load() != nil && !g.draining.Load() }

// Addresses returns where the gateway listens, by the address as configured.
func (g *Gateway) Addresses() map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	bound := make(map[string]string, len(g.listeners))
	for configured, l := range g.listeners {
		bound[configured] = l.Addr().String()
	}
	return bound
}

// AccessDropped returns how many access log lines were dropped because the log could not be written fast enough.
func (g *Gateway) AccessDropped() uint64 {
	if log := g.access.Load(); log != nil {
		return log.Dropped()
	}
	return 0
}

// ReopenLogs opens log files anew, after they were moved away.
func (g *Gateway) ReopenLogs() error {
	if log := g.access.Load(); log != nil {
		return log.Reopen()
	}
	return nil
}

// Apply builds cfg and swaps it in. After an error, which tells all that is wrong, nothing has changed. While the gateway serves, Apply
// takes its time, so that exchanges find a core free.
func (g *Gateway) Apply(cfg *config.Config) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining.Load() {
		return errors.New("the gateway is stopping")
	}
	err := g.apply(cfg)
	if err != nil {
		g.reloads.refused()
		return err
	}
	g.reloads.succeeded(time.Now())
	return nil
}

// apply is Apply, which counts it; the caller holds mu.
func (g *Gateway) apply(cfg *config.Config) error {
	next, err := g.build(cfg)
	if err != nil {
		return err
	}
	fresh, err := g.bind(next)
	if err != nil {
		next.close(func() {})
		return err
	}
	if err := g.openAccessLog(&cfg.Log); err != nil {
		closeListeners(fresh)
		next.close(func() {})
		return cfg.Errorf("log.access", "cannot open: %v", err)
	}
	if err := g.openTraces(next); err != nil {
		closeListeners(fresh)
		next.close(func() {})
		return cfg.Errorf("tracing.otlp", "%v", err)
	}
	g.ledger.enter(next)
	old := g.current.Swap(next)
	rest := g.rest()
	for _, update := range next.updates {
		rest()
		update()
	}
	next.updates = nil // they hold on to what was read of the file
	g.updateListeners(next, fresh)
	g.updatePush(next)
	if old != nil {
		old.retire()
	}
	return nil
}

// rest returns what Apply calls between small steps: nothing waits for exchanges when there can be none, or when the gateway is to stop.
func (g *Gateway) rest() func() {
	if g.current.Load() == nil {
		return func() {}
	}
	p := &pace.Pace{}
	return func() {
		if !g.draining.Load() {
			p.Rest()
		}
	}
}

// Check builds cfg, plugins and their on_configure included, and throws it away again. No endpoints are looked up. Its error tells all that is wrong.
func Check(log *slog.Logger, cfg *config.Config) error {
	g := New(log)
	g.discovery.off = true
	s, err := g.build(cfg)
	if err == nil {
		s.close(func() {})
	}
	return errors.Join(err, g.Drain(context.Background()))
}

// Leave makes Ready say no and Apply refuse, while requests are served as before: whoever balances over several gateways can send them
// elsewhere ahead of Drain. An Apply that is under way hurries. It is safe for concurrent use.
func (g *Gateway) Leave() { g.draining.Store(true) }

// Drain stops accepting, lets what runs end until ctx does, and closes everything. The gateway is of no use afterwards.
func (g *Gateway) Drain(ctx context.Context) error {
	g.Leave()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopSweep()
	defer g.stopPush() // it tells of the last exchanges, too
	err := drainAll(ctx, g.listeners)
	if g.host != nil {
		g.host.Stop() // closing a pool waits for its guests
	}
	if s := g.current.Load(); s != nil {
		s.close(func() {})
	}
	if g.host != nil {
		err = errors.Join(err, g.host.Close())
	}
	if log := g.access.Swap(nil); log != nil {
		err = errors.Join(err, log.Close())
	}
	g.closeTraces(nil)
	g.closing.Wait()
	return err
}

// sweep lets plugins shrink while they are idle.
func (g *Gateway) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, pool := range g.pools.all() {
				pool.Sweep()
			}
		}
	}
}
