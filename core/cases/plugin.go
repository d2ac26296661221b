package cases

import (
	"context"
	"errors"
	"log/slog"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/plugin"
)

// RunPlugin runs the cases of one plugin, each in an instance of its own. Its error says why the module is no plugin.
func RunPlugin(cs *config.Cases, name string, wasm []byte) (results []Result, err error) {
	r := &pluginRun{}
	r.world.set(cs.List[0].Now, 0)
	options := plugin.HostOptions{Log: slog.New(&r.journal), Now: r.world.now, Random: r.world.random}
	host, err := plugin.NewHost(context.Background(), options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	if r.plugin, err = host.Load(name, wasm, plugin.Limits{}); err != nil {
		return nil, err
	}
	for i := range cs.List {
		results = append(results, *r.run(&cs.List[i]))
	}
	return results, nil
}

// pluginRun is one plugin and what its cases share.
type pluginRun struct {
	plugin    *plugin.Plugin
	journal   journal
	world     world
	exchanges exchange.Pool
}

// run runs one case.
func (r *pluginRun) run(c *config.Case) *Result {
	result := &Result{Case: c, seen: &observation{messages: map[string]*message{}}}
	r.world.set(c.Now, c.Random)
	fetches := &stubs{list: c.Fetches}
	granted, err := grants(c, fetches)
	if err != nil {
		result.Problem = err.Error()
		result.judge()
		return result
	}
	result.seen.kv = granted.Stores[""]
	pool, err := r.plugin.Configure(c.Config, granted)
	var refused *plugin.ConfigError
	switch {
	case errors.As(err, &refused):
		reason := refused.Error()
		result.seen.refused = &reason
	case err != nil:
		result.Problem = err.Error()
	default:
		r.exchange(pool, result)
		pool.Close()
	}
	result.seen.fetches = fetches.requests()
	result.Notes = append(result.Notes, fetches.notes...)
	var details []string
	result.seen.log, details = r.journal.take()
	result.Notes = append(result.Notes, details...)
	result.judge()
	return result
}

// exchange takes the case's request through a chain of nothing but the plugin, and its response back.
func (r *pluginRun) exchange(pool *plugin.Pool, result *Result) {
	seen, c := result.seen, result.Case
	fail := func(x *exchange.Exchange, f *fault.Fault) {
		seen.verdict = verdictFail
		x.Fail(f)
		x.Resp.Reset()
		x.Resp.Status = f.Kind.Status()
	}
	steps := []chain.Step{{Name: r.plugin.Name(), Filter: pool.Filter("case", chain.Deny)}}
	ch, err := chain.Compile(steps, fail)
	if err != nil {
		result.Problem = err.Error()
		return
	}
	x := r.exchanges.Get()
	defer r.exchanges.Put(x)
	if !fillRequest(x, &c.Request) {
		result.Problem = "request.path: the gateway would refuse it from a client"
		return
	}
	gauge := gauge{pool: pool, result: result}
	verdict := ch.Request(x)
	seen.messages["request"], err = seenRequest(x)
	gauge.read("request")
	result.noteBody("request", err)
	switch {
	case seen.verdict == verdictFail:
	case verdict == chain.Respond:
		seen.verdict = verdictRespond
	default:
		seen.verdict = verdictContinue
		x.Upstream = "upstream"
		fill(&x.Resp, &c.Response)
	}
	ch.Response(x)
	seen.messages["response"], err = seenResponse(x)
	gauge.read("response")
	result.noteBody("response", err)
	ch.End(x)
	gauge.read("end")
	if gauge.failed {
		seen.verdict = verdictFail // of on_end the chain learns nothing
	}
	seen.attributes = append(seen.attributes, x.Attrs()...)
}

func (r *Result) noteBody(which string, err error) {
	if err != nil {
		r.seen.verdict = verdictFail
		r.Notes = append(r.Notes, "the "+which+"'s body was cut off: "+err.Error())
	}
}

// gauge tells the fuel of one hook from that of those before.
type gauge struct {
	pool   *plugin.Pool
	result *Result
	fuel   int64
	calls  int64
	failed bool // some hook has, for good
}

// read notes what was used since the last reading, if anything ran.
func (g *gauge) read(hook string) {
	s := g.pool.Stats()
	if s.Calls > g.calls {
		g.result.Fuel = append(g.result.Fuel, Fuel{hook, s.Fuel - g.fuel})
	}
	g.fuel, g.calls = s.Fuel, s.Calls
	failures := -s.Retried
	for _, n := range s.Failures {
		failures += n
	}
	g.failed = failures > 0
}
