package gateway

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/plugin"
)

// PluginView is all that there is to tell of a plugin.
type PluginView struct {
	Name string `json:"name"`
	PluginStatus
	File     string        `json:"file"`
	Pinned   bool          `json:"pinned"` // the config says which SHA-256 the file must have
	ABI      int           `json:"abi,omitempty"`
	Hooks    []string      `json:"hooks"` // that it asks for, with any of its configurations
	Needs    []string      `json:"needs"` // kinds of grants that its imports call for
	Limits   LimitsView    `json:"limits"`
	Failures []FailureView `json:"failures"` // the last ones, the latest first
}

// LimitsView are what a plugin may use up. Sizes are bytes, durations texts as in gateway.toml.
type LimitsView struct {
	Memory       int64  `json:"memory"`
	Fuel         int64  `json:"fuel"`
	FuelStart    int64  `json:"fuel_start"`
	Slice        int64  `json:"slice"`
	TimeLimit    string `json:"time_limit"`
	WaitTimeout  string `json:"wait_timeout"`
	FetchTimeout string `json:"fetch_timeout"`
	BufferLimit  int64  `json:"buffer_limit"`
	MaxInstances int    `json:"max_instances"`
	MaxWaiting   int    `json:"max_waiting"`
	MaxUses      int64  `json:"max_uses"`
}

// FailureView is a hook that failed.
type FailureView struct {
	Time      time.Time `json:"time"`
	Cause     string    `json:"cause"`
	Export    string    `json:"export"`
	Route     string    `json:"route"`
	Where     string    `json:"where"` // the filter's key path in gateway.toml
	RequestID string    `json:"request_id"`
	Retried   bool      `json:"retried"` // another instance was to try it once more
	Error     string    `json:"error"`
	Stack     string    `json:"stack,omitempty"`
}

// Plugins returns the plugins of the current generation by name.
func (g *Gateway) Plugins() []PluginView {
	views := []PluginView{}
	s := g.current.Load()
	if s == nil {
		return views
	}
	statuses := s.pluginStatus()
	for _, name := range slices.Sorted(maps.Keys(s.plugins)) {
		views = append(views, s.pluginView(name, statuses[name]))
	}
	return views
}

func (s *Snapshot) pluginView(name string, status PluginStatus) PluginView {
	loaded := s.plugins[name]
	c := pluginConfig(s.Config, name)
	v := PluginView{
		Name: name, PluginStatus: status, File: c.File, Pinned: c.SHA256 != "", Hooks: []string{}, Needs: []string{},
		Limits: limitsView(loaded.plugin.Limits()), Failures: []FailureView{},
	}
	if v.Filters == nil {
		v.Filters = []FilterStatus{}
	}
	for _, need := range loaded.plugin.Needs() {
		v.Needs = append(v.Needs, need.Kind)
	}
	for _, pool := range loaded.pools {
		v.ABI = pool.Level()
		if hooks := pool.Hooks(); hooks != 0 {
			v.Hooks = append(v.Hooks, strings.Split(hooks.String(), ", ")...)
		}
	}
	slices.Sort(v.Hooks)
	v.Hooks = slices.Compact(v.Hooks)
	for _, f := range loaded.plugin.Failures() {
		v.Failures = append(v.Failures, FailureView{f.Time, f.Cause.String(), f.Export, f.Route, f.Where, f.RequestID, f.Retried, f.Error, f.Stack})
	}
	return v
}

// pluginConfig is the plugin's own table, or what the sandbox gives to those that have none.
func pluginConfig(cfg *config.Config, name string) config.Plugin {
	return (&builder{cfg: cfg}).pluginConfig(name)
}

func limitsView(l plugin.Limits) LimitsView {
	return LimitsView{
		Memory: l.Memory, Fuel: l.Fuel, FuelStart: l.FuelStart, Slice: l.Slice, BufferLimit: l.BufferLimit,
		TimeLimit: l.TimeLimit.String(), WaitTimeout: l.WaitTimeout.String(), FetchTimeout: l.FetchTimeout.String(),
		MaxInstances: l.MaxInstances, MaxWaiting: l.MaxWaiting, MaxUses: l.MaxUses,
	}
}
