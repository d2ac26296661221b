// Package plugin is the host of sandboxed plugins: it loads, meters and runs WebAssembly modules as filters of a chain.
package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport/sallyport/core/exchange"
)

// maxMemory is the most linear memory that any plugin may be given, whatever its limits say.
const maxMemory = 1 << 30

// HostOptions are what a Host is made with.
type HostOptions struct {
	// CacheDir keeps compiled code over restarts; "" for none. It is made private to the process's user when it does
	// not exist; one that others may write to is refused, since its files are run as native code.
	CacheDir string
	// Log takes what plugins say and why they fail; nil for slog.Default.
	Log *slog.Logger
	// Now is the wall clock that plugins see; nil for the real one. Limits are held by the real one always.
	Now func() time.Time
	// Random fills a slice with the bytes that plugins get as random; nil for cryptographic ones. It may be called by many goroutines.
	Random func([]byte)
}

// Host runs all plugins of the process. It may be used by many goroutines.
type Host struct {
	log     *slog.Logger
	runtime wazero.Runtime
	cache   *codeCache
	base    time.Time   // deadlines are counted from here, on the monotonic clock
	closing atomic.Bool // running guests stop at their next safe point
	clock   func() time.Time
	random  func([]byte)
	lanes   lanes
	refused refusals

	exchanges exchange.Pool // of fetches

	mu      sync.Mutex
	loaded  map[*Plugin]struct{}
	metrics map[string]*metrics // by the plugin's name
}

// NewHost returns a Host without plugins. ctx is used while it is being made, not kept.
func NewHost(ctx context.Context, o HostOptions) (*Host, error) {
	cache, err := openCache(o.CacheDir)
	if err != nil {
		return nil, err
	}
	h := &Host{log: o.Log, cache: cache, base: time.Now(), clock: o.Now, random: o.Random, lanes: newLanes(), loaded: make(map[*Plugin]struct{}), metrics: make(map[string]*metrics)}
	if h.log == nil {
		h.log = slog.Default()
	}
	if h.clock == nil {
		h.clock = time.Now
	}
	if h.random == nil {
		h.random = cryptographic
	}
	if h.runtime, err = newRuntime(ctx, runtimeConfig(cache)); err != nil {
		return nil, err
	}
	if err := h.offer(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("plugin host: %w", err), h.Close())
	}
	return h, nil
}

func cryptographic(b []byte) { _, _ = rand.Read(b) } // it never fails: the runtime ends the process first

// newRuntime makes an error of wazero's panic where the process is denied executable memory.
func newRuntime(ctx context.Context, c wazero.RuntimeConfig) (r wazero.Runtime, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("plugin host: this process may not make memory executable, which compiled plugins need (systemd's MemoryDenyWriteExecute, SELinux without execmem?): %v", cause)
		}
	}()
	return wazero.NewRuntimeWithConfig(ctx, c), nil
}

func runtimeConfig(cache *codeCache) wazero.RuntimeConfig {
	return wazero.NewRuntimeConfigCompiler().
		WithCoreFeatures(api.CoreFeaturesV2).
		WithMemoryLimitPages(maxMemory / pageSize).
		WithMemoryCapacityFromMax(false). // the collector would count every instance at its cap
		WithDebugInfoEnabled(false).      // with DWARF a trap costs hundreds of milliseconds
		WithCloseOnContextDone(false).    // fuel bounds guests, at a tenth of the cost
		WithCompilationCache(cache.compiled)
}

// Stop has running guests fail at their next safe point, and all that come later at their first. It does not wait for them.
func (h *Host) Stop() { h.closing.Store(true) }

// Close stops running guests, waits for them, and lets go of everything. No plugin of the Host may be used afterwards.
func (h *Host) Close() error {
	h.Stop()
	h.mu.Lock()
	plugins := make([]*Plugin, 0, len(h.loaded))
	for p := range h.loaded {
		plugins = append(plugins, p)
	}
	h.mu.Unlock()
	for _, p := range plugins {
		p.Close()
	}
	ctx := context.Background()
	return errors.Join(h.runtime.Close(ctx), h.cache.compiled.Close(ctx))
}

// now returns nanoseconds on the monotonic clock since the Host was made.
func (h *Host) now() int64 { return int64(time.Since(h.base)) }

func (h *Host) add(p *Plugin) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loaded[p] = struct{}{}
}

// remove reports whether p was still there.
func (h *Host) remove(p *Plugin) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.loaded[p]
	delete(h.loaded, p)
	return ok
}
