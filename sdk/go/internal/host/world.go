//go:build !wasm && !tinygo.wasm

package host

import "time"

// World is what a gateway grants a plugin, and what the plugin leaves there. Nothing is granted by default. The maps may be changed
// between calls of the plugin; a World must not be used by tests that run in parallel.
type World struct {
	Secrets map[string]string // by name
	Stores  map[string]*Store // by name; "" is the plugin's own
	Limits  map[string]int64  // by name: how many units each key may take at once, and until Pass is called
	// Upstreams answer fetches, by name. They are called while the hook runs, and must not call the plugin.
	Upstreams map[string]func(FetchRequest) FetchAnswer
	Keys      map[string]*KeySet      // for tokens, by name
	Passwords map[string]*PasswordSet // by name
	Schemas   map[string]*Schema      // for JSON documents, by name
	// Counters and Observed are what the plugin counts: by name, with labels as in `requests{code="200",method="GET"}`, sorted.
	Counters map[string]int64
	Observed map[string][]float64

	taken  map[[2]string]int64
	passed time.Duration
}

// Store is a store of values by key.
type Store struct {
	// Fault, if it is not 0, is what every call answers: -6 for a store that is too slow, -7 for one that cannot be reached.
	Fault int32

	values map[string]value
}

type value struct {
	text string
	ends time.Duration // by World.passed; 0: never
}

// Pass lets time go by: for Now, for values that are kept for a while, and for limits, which are then as at first.
func (w *World) Pass(d time.Duration) {
	w.passed += d
	w.taken = nil
}

// Value returns what a store has for key, and whether there is something.
func (w *World) Value(store, key string) (string, bool) {
	s := w.Stores[store]
	if s == nil {
		return "", false
	}
	v, ok := s.find(key, w.passed)
	return v.text, ok
}

// SetValue puts something into a store, for good. The store is granted by it.
func (w *World) SetValue(store, key, text string) {
	if w.Stores == nil {
		w.Stores = map[string]*Store{}
	}
	if w.Stores[store] == nil {
		w.Stores[store] = &Store{}
	}
	w.Stores[store].put(key, value{text: text})
}

func (s *Store) find(key string, now time.Duration) (value, bool) {
	v, ok := s.values[key]
	return v, ok && (v.ends == 0 || v.ends > now)
}

func (s *Store) put(key string, v value) {
	if s.values == nil {
		s.values = map[string]value{}
	}
	s.values[key] = v
}

// world is where the plugin's call happens: for exchanges that have none, one that grants nothing and keeps nothing.
func world() *World {
	if current.x == nil || current.x.World == nil {
		return &World{}
	}
	return current.x.World
}

// ConfigureIn is Configure in a world.
func ConfigureIn(w *World, config string, code func()) (reason string) {
	return during(memory{phase: Configuring, config: config, x: &Exchange{World: w}}, code).reason
}
