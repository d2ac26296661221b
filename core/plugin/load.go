package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/sallyport/sallyport/core/plugin/meter"
)

// Plugin is one compiled module under a name, with limits. It may be used by many goroutines.
type Plugin struct {
	host     *Host
	log      *slog.Logger
	name     string
	hash     string
	limits   Limits
	exports  map[string]bool // of functions
	needs    []Need
	metrics  *metrics
	compiled wazero.CompiledModule
	fleet    fleet
	failures failures
}

// Load meters and compiles a module. It keeps nothing of wasm. Any failure is an error, also a panic of the compiler.
// Who loads the same bytes with the same limits twice should better keep the first Plugin.
func (h *Host) Load(name string, wasm []byte, l Limits) (*Plugin, error) {
	p, err := h.load(name, wasm, l.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("plugin %s: %w", name, err)
	}
	h.add(p)
	return p, nil
}

func (h *Host) load(name string, wasm []byte, l Limits) (*Plugin, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(wasm)
	info, compiled, err := h.prepare(wasm, sum, l)
	if err != nil {
		return nil, err
	}
	hash := hex.EncodeToString(sum[:])
	p := &Plugin{
		host: h, name: name, hash: hash, limits: l, compiled: compiled, exports: functionNames(info),
		needs: needsOf(info), metrics: h.metricsOf(name),
		log: h.log.With(slog.String("plugin", name), slog.String("hash", hash[:12])),
	}
	p.fleet.init(l.MaxInstances)
	return p, nil
}

// prepare meters and compiles a module, unless it is known that it will be refused.
func (h *Host) prepare(wasm []byte, sum [sha256.Size]byte, l Limits) (*meter.Info, wazero.CompiledModule, error) {
	limits := meter.Limits{MemoryPages: uint32(l.Memory / pageSize), InitialFuel: min(l.Slice, l.FuelStart)}
	attempt := attempt{sum, limits}
	if err := h.refused.of(attempt); err != nil {
		return nil, nil, err
	}
	module, err := meter.Rewrite(wasm, limits)
	if err != nil {
		return nil, nil, h.refused.note(attempt, err)
	}
	if err := checkModule(&module.Info); err != nil {
		return nil, nil, h.refused.note(attempt, err)
	}
	compiled, err := h.compile(module.Wasm)
	if err != nil && h.cache.dir == "" { // else it may be the disk's fault
		err = h.refused.note(attempt, err)
	}
	return &module.Info, compiled, err
}

func functionNames(info *meter.Info) map[string]bool {
	names := make(map[string]bool)
	for _, e := range info.Exports {
		if e.Kind == meter.KindFunc {
			names[e.Name] = true
		}
	}
	return names
}

func (h *Host) compile(wasm []byte) (wazero.CompiledModule, error) {
	compiled, err := h.compileOnce(wasm)
	if err != nil && h.cache.heal(err) {
		compiled, err = h.compileOnce(wasm)
	}
	return compiled, err
}

// compileOnce recovers: a module that trips the compiler up must not take the process down.
func (h *Host) compileOnce(wasm []byte) (compiled wazero.CompiledModule, err error) {
	defer func() {
		if r := recover(); r != nil {
			compiled, err = nil, fmt.Errorf("the compiler panicked: %v", r)
		}
	}()
	ctx := experimental.WithCompilationWorkers(context.Background(), compilers())
	compiled, err = h.runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return compiled, nil
}

// compilers is how many goroutines compile a module: one core is left to the traffic.
func compilers() int { return min(max(1, runtime.GOMAXPROCS(0)-1), 4) }

// Name returns the name that the plugin was loaded under.
func (p *Plugin) Name() string { return p.name }

// Hash returns the SHA-256 of the module as it was given to Load, in lower-case hex.
func (p *Plugin) Hash() string { return p.hash }

// Limits returns the limits with their defaults filled in.
func (p *Plugin) Limits() Limits { return p.limits }

// Close closes the plugin's pools, as Pool.Close does, and frees the compiled code. It may be called more than once.
func (p *Plugin) Close() {
	if !p.host.remove(p) {
		return
	}
	for _, pool := range p.fleet.list() {
		pool.Close()
	}
	_ = p.compiled.Close(context.Background()) // it cannot fail: only references are dropped
}
