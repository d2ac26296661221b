//go:build !wasm && !tinygo.wasm

// Package sallyporttest runs a plugin in a plain `go test`, against an in-memory gateway that follows the plugin ABI.
//
//	p := sallyporttest.Configure(t, configure, `{"header": "X-Greeting"}`)
//	x := sallyporttest.NewExchange("GET", "/orders?id=7")
//	verdict, err := p.Request(x)
//	x.Body = "what the upstream says"
//	err = p.Response(x)
//	p.End(x)
//
// Hooks run one at a time, in parallel tests too. A hook that waits goes on in another copy of the plugin, which is configured then.
package sallyporttest

import (
	"errors"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// Plugin is a plugin with a configuration it has accepted.
type Plugin struct {
	hooks sallyport.Hooks
	other func() (sallyport.Hooks, error) // configures another copy
}

// Configure gives the plugin its configuration, a JSON object, and fails the test if it is refused.
func Configure(t testing.TB, configure sallyport.Configure, config string) *Plugin {
	t.Helper()
	return ConfigureIn(t, nil, configure, config)
}

// Refusal returns why the plugin refuses a configuration, and fails the test if it does not.
func Refusal(t testing.TB, configure sallyport.Configure, config string) string {
	t.Helper()
	return RefusalIn(t, nil, configure, config)
}

// RefusalIn is Refusal with a World that the gateway grants; nil grants nothing.
func RefusalIn(t testing.TB, w *World, configure sallyport.Configure, config string) string {
	t.Helper()
	_, err := accept(w, configure, config)
	if err == nil {
		t.Fatalf("configuration accepted: %s", config)
	}
	return err.Error()
}

func accept(w *World, configure sallyport.Configure, config string) (*Plugin, error) {
	copied := func() (hooks sallyport.Hooks, err error) {
		host.ConfigureIn(w, config, func() { hooks, err = configure([]byte(config)) })
		return hooks, err
	}
	hooks, err := copied()
	return &Plugin{hooks, copied}, err
}

var calls sallyport.Calls

// Request runs the request hook. As in the gateway, an answer counts only with the verdict Respond, and after an
// error everything is as before. If it waits, it is resumed.
func (p *Plugin) Request(x *Exchange) (sallyport.Verdict, error) {
	if p.hooks.Request == nil {
		return sallyport.Continue, nil
	}
	before := x.Clone()
	x.Response, x.Status, x.Body, x.ResponseTrailers = nil, 0, "", nil
	verdict, answered, err := p.request(x)
	switch {
	case err == nil && verdict == sallyport.Respond && !answered:
		err = errors.New("the request hook says Respond but has made no answer")
	case err == nil && verdict == sallyport.Continue:
		x.Response, x.Status, x.Body, x.ResponseTrailers = before.Response, before.Status, before.Body, before.ResponseTrailers
	}
	restoreOn(err, x, before)
	return verdict, err
}

var errNothingToWaitFor = errors.New("the hook waits, but no fetch is under way")

// request runs the request hook to its end, and reports whether it has made an answer.
func (p *Plugin) request(x *Exchange) (verdict sallyport.Verdict, answered bool, err error) {
	hooks, hook := p.hooks, p.hooks.Request
	for {
		answered = host.Run(host.InRequest, hooks.RequestBody, answered, x, func() { verdict, err = calls.Request(hooks, hook) })
		if err != nil || verdict != sallyport.Wait {
			return verdict, answered, err
		}
		if hooks, err = p.resumed(x); err != nil {
			return verdict, answered, err
		}
		hook = hooks.ResumeRequest
	}
}

// resumed returns the hooks by which an exchange goes on that waits.
func (p *Plugin) resumed(x *Exchange) (sallyport.Hooks, error) {
	switch {
	case !x.Waits():
		return p.hooks, errNothingToWaitFor
	case p.hooks.Bound:
		return p.hooks, nil
	}
	return p.other()
}

// Response runs the response hook. After an error everything is as before. If it waits, it is resumed.
func (p *Plugin) Response(x *Exchange) error {
	if p.hooks.Response == nil {
		return nil
	}
	before := x.Clone()
	err := p.response(x)
	restoreOn(err, x, before)
	return err
}

func (p *Plugin) response(x *Exchange) (err error) {
	hooks, hook, answered := p.hooks, p.hooks.Response, false
	for waits := true; ; {
		answered = host.Run(host.InResponse, hooks.ResponseBody, answered, x, func() { waits, err = calls.Response(hooks, hook) })
		if err != nil || !waits {
			return err
		}
		if hooks, err = p.resumed(x); err != nil {
			return err
		}
		hook = hooks.ResumeResponse
	}
}

// End runs the end hook.
func (p *Plugin) End(x *Exchange) {
	if p.hooks.End != nil {
		host.Run(host.InEnd, false, false, x, func() { calls.End(p.hooks) })
	}
}

func restoreOn(err error, x, before *Exchange) {
	if err != nil {
		before.Log = x.Log
		*x = *before
	}
}
