package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// The two cores of a run, as taskset names them.
const (
	proxyCore = "0"
	loadCore  = "1"
)

// field is where a run takes place: the backend, and every proxy in front of it, running but idle until its turn.
type field struct {
	settings
	dir     string // for configs and logs, removed at the end
	backend *process
	proxies []*process
}

// newField starts everything and waits until it answers.
func newField(ctx context.Context, s settings) (*field, error) {
	for _, program := range []string{"taskset", "wrk", "nginx"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%s is needed: apt-get install nginx-light haproxy wrk util-linux", program)
		}
	}
	dir, err := os.MkdirTemp("", "sallyport-bench-")
	if err != nil {
		return nil, err
	}
	f := &field{settings: s, dir: dir}
	if err := errors.Join(writeCertificate(dir), f.startAll(ctx)); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *field) startAll(ctx context.Context) error {
	var err error
	if f.backend, err = f.start(ctx, loadCore, site{}, contender{name: "backend", setUp: backendServer}); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	base := site{certs: f.dir, backend: f.backend.address, self: self, sallyport: f.sallyport, plugins: f.plugins}
	for _, c := range contenders() {
		if !f.wanted(c.name) {
			continue
		}
		if missing := c.missing(base); missing != "" {
			fmt.Fprintf(os.Stderr, "bench: %s left out: there is no %s\n", c.name, missing)
			continue
		}
		p, err := f.start(ctx, proxyCore, base, c)
		if err != nil {
			return err
		}
		f.proxies = append(f.proxies, p)
	}
	if len(f.proxies) == 0 {
		return fmt.Errorf("no proxy to measure")
	}
	return nil
}

func (f *field) wanted(name string) bool {
	for _, beginning := range f.only {
		if strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return len(f.only) == 0
}

// start writes the contender's files into a folder of its own, starts it and waits until it answers.
func (f *field) start(ctx context.Context, core string, at site, c contender) (*process, error) {
	var err error
	if at.address, err = freeAddress(); err != nil {
		return nil, err
	}
	if at.dir, err = os.MkdirTemp(f.dir, "proxy-"); err != nil {
		return nil, err
	}
	server, err := c.setUp(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	p, err := startProcess(at.dir, core, c, at.address, server)
	if err != nil {
		return nil, err
	}
	if err := p.ready(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (f *field) close() {
	for _, p := range f.proxies {
		p.stop()
	}
	if f.backend != nil {
		f.backend.stop()
	}
	os.RemoveAll(f.dir)
}

// measureAll has all proxies run in turn until each has enough rounds that count, or has had twice as many. All take part in each turn, since
// what is compared are the rounds of one turn: machines change from one minute to the next.
func (f *field) measureAll(ctx context.Context) ([]result, error) {
	results := make([]result, len(f.proxies))
	for turn := 1; turn <= 2*f.rounds; turn++ {
		for i, p := range f.proxies {
			results[i].name, results[i].protocol = p.name, p.protocol
			one, err := f.measure(ctx, p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			one.turn = turn
			results[i].add(one, f.minBusy)
			fmt.Fprintf(os.Stderr, "turn %d  %-22s %6.2f µs per request  %7.0f requests/s  core %5.1f %% busy\n",
				turn, p.name, one.cpuPerRequest(), one.perSecond(), 100*one.busy())
		}
		if !slices.ContainsFunc(results, func(r result) bool { return len(r.counts) < f.rounds }) {
			break
		}
	}
	return results, nil
}

// measure loads one proxy for a second that does not count and then for the round.
func (f *field) measure(ctx context.Context, p *process) (round, error) {
	if _, err := p.protocol.load(ctx, p.address, 1); err != nil {
		return round{}, err
	}
	before, err := procs("/proc").cpu(p.cmd.Process.Pid)
	if err != nil {
		return round{}, err
	}
	l, err := p.protocol.load(ctx, p.address, f.seconds)
	if err != nil {
		return round{}, err
	}
	after, err := procs("/proc").cpu(p.cmd.Process.Pid)
	if err != nil {
		return round{}, err
	}
	if l.failed > 0 || l.requests == 0 {
		return round{}, fmt.Errorf("%d of %d requests failed: %s", l.failed, l.requests, p.said())
	}
	return round{load: l, cpu: after - before}, ctx.Err()
}
