package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/engine"
	"github.com/sallyport/sallyport/core/http1"
)

// bind opens the addresses that are new in s, so that one that is taken refuses the config before anything changed.
func (g *Gateway) bind(s *Snapshot) (map[string]*engine.Listener, error) {
	cfg := s.Config
	fresh := map[string]*engine.Listener{}
	var wrong config.Errors
	for i, l := range cfg.Server.Listen {
		if g.listeners[l.Address] != nil {
			continue
		}
		opened, err := g.engine.Listen(l.Address, s.listenerOptions(l))
		if err != nil {
			wrong = append(wrong, cfg.Errorf(fmt.Sprintf("server.listen[%d]", i), "cannot listen: %v", err))
			continue
		}
		fresh[l.Address] = opened
	}
	if len(wrong) > 0 {
		closeListeners(fresh)
		return nil, wrong
	}
	return fresh, nil
}

// updateListeners starts the fresh ones, tells the others their options, and drains those that s does not have.
func (g *Gateway) updateListeners(s *Snapshot, fresh map[string]*engine.Listener) {
	cfg := s.Config
	wanted := map[string]*engine.Listener{}
	for _, l := range cfg.Server.Listen {
		if opened := fresh[l.Address]; opened != nil {
			opened.Start()
			wanted[l.Address] = opened
			continue
		}
		kept := g.listeners[l.Address]
		kept.SetOptions(s.listenerOptions(l))
		wanted[l.Address] = kept
	}
	for address, l := range g.listeners {
		if wanted[address] == nil {
			l.Stop() // here, so that the next config can have the address again
			go g.retireListener(address, l, cfg)
		}
	}
	g.listeners = wanted
	g.listening.Store(&wanted)
}

// retireListener lets the connections of an address that is no longer wanted end in their own time.
func (g *Gateway) retireListener(address string, l *engine.Listener, cfg *config.Config) {
	ctx, cancel := context.WithTimeout(context.Background(), cfg.Server.DrainTimeout)
	defer cancel()
	if err := l.Drain(ctx); err != nil {
		g.log.Warn("a listener was cut off", "address", address, "error", err)
	}
}

// counts returns what each listener has counted, by the address as configured.
func (g *Gateway) counts(of func(*engine.Listener) uint64) map[string]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	counts := make(map[string]uint64, len(g.listeners))
	for configured, l := range g.listeners {
		counts[configured] = of(l)
	}
	return counts
}

// closeListeners closes listeners that were never started.
func closeListeners(listeners map[string]*engine.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = drainAll(ctx, listeners) // nothing was accepted: there is nothing to be cut off
}

func drainAll(ctx context.Context, listeners map[string]*engine.Listener) error {
	var wait sync.WaitGroup
	results := make(chan error, len(listeners))
	for _, l := range listeners {
		wait.Go(func() { results <- l.Drain(ctx) })
	}
	wait.Wait()
	close(results)
	var err error
	for result := range results {
		err = errors.Join(err, result)
	}
	return err
}

func (s *Snapshot) listenerOptions(l config.Listener) engine.Options {
	return engine.Options{
		Limits:           http1.Limits{Head: l.Limits.Head, Fields: l.Limits.Fields, URI: l.Limits.URI},
		HeadTimeout:      l.Limits.HeadTimeout,
		IdleTimeout:      l.Limits.IdleTimeout,
		BodyTimeout:      l.Limits.BodyTimeout,
		Connections:      l.Limits.Connections,
		ConnectionsPerIP: l.Limits.ConnectionsPerIP,
		Streams:          l.Limits.Streams,
		TrustedProxies:   l.TrustedProxies,
		TrustUnix:        l.TrustUnix,
		TLS:              s.tls[l.Address],
		HTTP2:            l.HTTP2,
		RedirectHTTPS:    l.RedirectHTTPS,
	}
}
