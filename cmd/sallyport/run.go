package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gateway"
	"github.com/sallyport/sallyport/core/pace"
	"github.com/sallyport/sallyport/core/reload"
	"github.com/sallyport/sallyport/core/telemetry"
)

// run serves until SIGTERM or SIGINT and then drains; a second signal ends the draining.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("sallyport run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("c", "gateway.toml", "the config `file`")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	// From here on signals wait until they can be acted on: what is not caught ends the process.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	p, err := start(*file, stderr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return p.serve(signals)
}

// process is the running gateway with its surroundings.
type process struct {
	file    string
	loaded  time.Time // when reading the first config began
	log     *slog.Logger
	level   *slog.LevelVar
	gateway *gateway.Gateway
	history *admin.History
	options admin.Options
	signal  atomic.Bool // SIGHUP has asked for the next reload

	mu      sync.Mutex
	admin   *admin.Server  // nil: there is none
	cfg     *config.Config // the one in force
	refused *config.Config // read after it, but it could not be built; nil: none was
}

func start(file string, stderr io.Writer) (*process, error) {
	loaded := time.Now()
	cfg, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	p := &process{file: file, loaded: loaded, level: &slog.LevelVar{}, history: &admin.History{}}
	p.setLevel(cfg)
	p.log = telemetry.NewLevelLogger(p.level, stderr)
	p.gateway = gateway.New(p.log)
	p.gateway.Version = version
	p.options = admin.Options{
		Gateway: p.gateway, Version: version, Log: p.log, Level: p.level, History: p.history,
		Reload: func(who string) error { return p.reload("API", who) },
	}
	p.mu.Lock() // the admin interface answers before there is a config: a reload waits for the first one
	defer p.mu.Unlock()
	if err := p.install(cfg); err != nil {
		return nil, err
	}
	p.note("start", "", cfg, nil)
	p.log.Info("serving", "version", version, "listeners", p.gateway.Addresses(), "generation", p.gateway.Current().Generation)
	return p, nil
}

// install puts a config in force, or says why it cannot be; the caller holds mu, or is alone.
func (p *process) install(cfg *config.Config) error {
	side, err := p.prepareAdmin(cfg)
	if err != nil {
		p.gateway.NoteRefused()
		return err
	}
	if err := p.gateway.Apply(cfg); err != nil {
		side.giveUp()
		return err
	}
	p.takeAdmin(side)
	if p.cfg == nil || p.cfg.Log.Level != cfg.Log.Level {
		p.setLevel(cfg) // else what the admin API says lasts
	}
	p.cfg, p.refused = cfg, nil
	return nil
}

func (p *process) setLevel(cfg *config.Config) {
	if level, err := telemetry.ParseLevel(cfg.Log.Level); err == nil {
		p.level.Set(level)
	}
}

// reload applies the config file as it is now. Source is what has led to it, who has asked for it.
func (p *process) reload(source, who string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var cfg *config.Config
	var err error
	sparingly(len(p.cfg.Routes), func() { cfg, err = p.apply() })
	p.note(source, who, cfg, err)
	if err != nil {
		p.log.Error("the new config was refused, the old one stays", "source", source, "error", err)
		return err
	}
	p.log.Info("reloaded", "source", source, "generation", p.gateway.Current().Generation, "hash", cfg.Hash())
	return nil
}

// note remembers how putting a config in force went.
func (p *process) note(source, who string, cfg *config.Config, err error) {
	p.history.Add(admin.Attempt{Generation: p.gateway.Current().Generation, Source: source, Who: who}, cfg, err)
}

// apply is reload, which tells how it went; the caller holds mu.
func (p *process) apply() (*config.Config, error) {
	cfg, err := config.LoadGently(p.file, (&pace.Pace{}).Rest)
	if err != nil {
		p.gateway.NoteRefused()
		return nil, err
	}
	p.refused = cfg
	return cfg, p.install(cfg)
}

// pluginPaths are what the watcher looks at beside the config file.
func (p *process) pluginPaths() []string {
	var paths []string
	for _, cfg := range p.configs() {
		paths = append(paths, cfg.Sandbox.Dir)
		for _, plugin := range cfg.Plugins {
			paths = append(paths, plugin.File)
		}
	}
	return paths
}

// filePaths are the certificates and keys that the watcher looks at, of listeners and of upstreams.
func (p *process) filePaths() []string {
	var paths []string
	for _, cfg := range p.configs() {
		paths = append(paths, cfg.Files()...)
	}
	return paths
}

// configs are the one in force and the one that was refused: the file that it lacks may come.
func (p *process) configs() []*config.Config {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused != nil {
		return []*config.Config{p.cfg, p.refused}
	}
	return []*config.Config{p.cfg}
}

func (p *process) serve(signals <-chan os.Signal) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	force := make(chan struct{}, 1)
	go p.watch(ctx, force)
	for s := range signals {
		switch s {
		case syscall.SIGHUP:
			p.signal.Store(true)
			select {
			case force <- struct{}{}:
			default: // one is waiting already, and it will read what there is then
			}
		case syscall.SIGUSR1:
			if err := p.gateway.ReopenLogs(); err != nil {
				p.log.Error("cannot reopen the access log", "error", err)
			}
		case syscall.SIGUSR2:
			for name, plugin := range p.gateway.Status().Plugins {
				p.log.Info("plugin", "name", name, "status", plugin)
			}
		default:
			stop()
			return p.drain(signals)
		}
	}
	return 0
}

func (p *process) watch(ctx context.Context, force <-chan struct{}) {
	w := reload.Watcher{
		Config:  p.file,
		Plugins: p.pluginPaths,
		Files:   p.filePaths,
		Changed: p.changed,
		Loaded:  p.loaded,
		Log:     p.log,
	}
	if err := w.Run(ctx, force); err != nil {
		p.log.Error("changes of files are not noticed", "error", err)
	}
}

// changed is called by the watcher, for files and for signals.
func (p *process) changed() {
	source := "file"
	if p.signal.Swap(false) {
		source = "SIGHUP"
	}
	_ = p.reload(source, "") // it has logged its error
}

// drain serves on for drain_delay, then lets what runs end for up to drain_timeout; a further signal cuts both short.
func (p *process) drain(signals <-chan os.Signal) int {
	p.gateway.Leave()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM || s == syscall.SIGINT {
				cancel()
				return
			}
		}
	}()
	p.mu.Lock()
	server, side := p.cfg.Server, p.admin
	p.mu.Unlock()
	p.linger(ctx, server.DrainDelay)
	p.log.Info("draining", "timeout", server.DrainTimeout.String())
	ctx, done := context.WithTimeout(ctx, server.DrainTimeout)
	defer done()
	if err := p.gateway.Drain(ctx); err != nil {
		p.log.Warn("not everything had ended", "error", err)
	}
	if side != nil {
		_ = side.Close(ctx) // the process ends anyway
	}
	p.log.Info("stopped")
	return 0
}

// linger waits while balancers notice that the gateway is no longer ready.
func (p *process) linger(ctx context.Context, delay time.Duration) {
	if delay == 0 {
		return
	}
	p.log.Info("not ready any more, serving on", "delay", delay.String())
	select {
	case <-ctx.Done():
	case <-time.After(delay):
	}
}
