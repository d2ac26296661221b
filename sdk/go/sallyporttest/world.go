//go:build !wasm && !tinygo.wasm

package sallyporttest

import (
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// World is what a gateway grants a plugin, and what the plugin leaves there. The zero value grants nothing.
//
//	w := &sallyporttest.World{Secrets: map[string]string{"hmac": "hush"}, Limits: map[string]int64{"login": 5}}
//	w.SetValue("sessions", "42", "jo")
//	p := sallyporttest.ConfigureIn(t, w, configure, `{}`)
//	x := sallyporttest.NewExchangeIn(w, "GET", "/")
type World = host.World

// KeySet is what tokens of a World are checked against.
type KeySet = host.KeySet

// PasswordSet is what passwords of a World are checked against.
type PasswordSet = host.PasswordSet

// Schema is what JSON documents are checked against in a World.
type Schema = host.Schema

// FetchRequest is a request of the plugin's own, as an upstream of a World gets it.
type FetchRequest = host.FetchRequest

// FetchAnswer is what an upstream of a World answers.
type FetchAnswer = host.FetchAnswer

// Store is a key-value store of a World.
type Store = host.Store

// ConfigureIn is Configure for a plugin that has been granted something.
func ConfigureIn(t testing.TB, w *World, configure sallyport.Configure, config string) *Plugin {
	t.Helper()
	p, err := accept(w, configure, config)
	if err != nil {
		t.Fatalf("configuration refused: %v", err)
	}
	return p
}

// NewExchangeIn is NewExchange for a plugin that has been granted something.
func NewExchangeIn(w *World, method, target string) *Exchange {
	x := NewExchange(method, target)
	x.World = w
	return x
}
