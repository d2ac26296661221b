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
	gateway *gateway.Gateway
	admin   *admin.Server

	mu      sync.Mutex
	cfg     *config.Config // the one in force
	refused *config.Config // read after it, but it could not be built; nil: none was
}

func start(file string, stderr io.Writer) (*process, error) {
	loaded := time.Now()
	cfg, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	log := telemetry.NewLogger(cfg.Log.Level, stderr)
	p := &process{file: file, loaded: loaded, log: log, gateway: gateway.New(log), cfg: cfg}
	p.gateway.Version = version
	if err := p.gateway.Apply(cfg); err != nil {
		return nil, err
	}
	if cfg.Admin != nil {
		options := admin.Options{Gateway: p.gateway, Reload: p.reload, Version: version, Log: log}
		if p.admin, err = admin.Listen(cfg.Admin.Listen, options); err != nil {
			return nil, cfg.Errorf("admin.listen", "cannot listen: %v", err)
		}
	}
	log.Info("serving", "version", version, "listeners", p.gateway.Addresses(), "generation", p.gateway.Current().Generation)
	return p, nil
}

// reload applies the config file as it is now.
func (p *process) reload() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	sparingly(len(p.cfg.Routes), func() { err = p.apply() })
	if err != nil {
		p.log.Error("the new config was refused, the old one stays", "error", err)
		return err
	}
	p.log.Info("reloaded", "generation", p.gateway.Current().Generation)
	return nil
}

// apply is reload, which tells how it went; the caller holds mu.
func (p *process) apply() error {
	cfg, err := config.LoadGently(p.file, (&pace.Pace{}).Rest)
	if err != nil {
		p.gateway.NoteRefused()
		return err
	}
	p.refused = cfg
	if err := p.gateway.Apply(cfg); err != nil {
		return err
	}
	p.cfg, p.refused = cfg, nil
	return nil
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
		Changed: func() { _ = p.reload() }, // reload has logged its error
		Loaded:  p.loaded,
		Log:     p.log,
	}
	if err := w.Run(ctx, force); err != nil {
		p.log.Error("changes of files are not noticed", "error", err)
	}
}

// drain lets what runs end for up to drain_timeout; a further signal cuts it short.
func (p *process) drain(signals <-chan os.Signal) int {
	p.mu.Lock()
	timeout := p.cfg.Server.DrainTimeout
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM || s == syscall.SIGINT {
				cancel()
				return
			}
		}
	}()
	p.log.Info("draining", "timeout", timeout.String())
	if err := p.gateway.Drain(ctx); err != nil {
		p.log.Warn("not everything had ended", "error", err)
	}
	if p.admin != nil {
		_ = p.admin.Close(ctx) // the process ends anyway
	}
	p.log.Info("stopped")
	return 0
}
