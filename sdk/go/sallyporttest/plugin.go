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
// Hooks run one at a time, in parallel tests too.
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
}

// Configure gives the plugin its configuration, a JSON object, and fails the test if it is refused.
func Configure(t testing.TB, configure sallyport.Configure, config string) *Plugin {
	t.Helper()
	p, err := accept(configure, config)
	if err != nil {
		t.Fatalf("configuration refused: %v", err)
	}
	return p
}

// Refusal returns why the plugin refuses a configuration, and fails the test if it does not.
func Refusal(t testing.TB, configure sallyport.Configure, config string) string {
	t.Helper()
	_, err := accept(configure, config)
	if err == nil {
		t.Fatalf("configuration accepted: %s", config)
	}
	return err.Error()
}

func accept(configure sallyport.Configure, config string) (*Plugin, error) {
	var p Plugin
	var err error
	host.Configure(config, func() { p.hooks, err = configure([]byte(config)) })
	return &p, err
}

// Request runs the request hook. As in the gateway, an answer counts only with the verdict Respond, and after an
// error everything is as before.
func (p *Plugin) Request(x *Exchange) (sallyport.Verdict, error) {
	if p.hooks.Request == nil {
		return sallyport.Continue, nil
	}
	before := x.Clone()
	x.Response, x.Status, x.Body, x.ResponseTrailers = nil, 0, "", nil
	request, _ := sallyport.Current()
	var verdict sallyport.Verdict
	var err error
	answered := host.Run(host.InRequest, p.hooks.RequestBody, x, func() { verdict, err = p.hooks.Request(request) })
	switch {
	case err == nil && verdict == sallyport.Respond && !answered:
		err = errors.New("the request hook says Respond but has made no answer")
	case err == nil && verdict == sallyport.Continue:
		x.Response, x.Status, x.Body, x.ResponseTrailers = before.Response, before.Status, before.Body, before.ResponseTrailers
	}
	restoreOn(err, x, before)
	return verdict, err
}

// Response runs the response hook. After an error everything is as before.
func (p *Plugin) Response(x *Exchange) error {
	if p.hooks.Response == nil {
		return nil
	}
	before := x.Clone()
	_, response := sallyport.Current()
	var err error
	host.Run(host.InResponse, p.hooks.ResponseBody, x, func() { err = p.hooks.Response(response) })
	restoreOn(err, x, before)
	return err
}

// End runs the end hook.
func (p *Plugin) End(x *Exchange) {
	if p.hooks.End == nil {
		return
	}
	_, response := sallyport.Current()
	host.Run(host.InEnd, false, x, func() { p.hooks.End(response) })
}

func restoreOn(err error, x, before *Exchange) {
	if err != nil {
		before.Log = x.Log
		*x = *before
	}
}
