package config

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func defaultPluginLimits() PluginLimits {
	return PluginLimits{
		Memory: 16 << 20, Fuel: 100_000_000, Slice: 1_000_000, FuelStart: 2_000_000_000,
		TimeLimit: 100 * time.Millisecond, MaxInstances: 64, MaxUses: 100_000, WaitTimeout: time.Second, BufferLimit: 1 << 20,
		FetchTimeout: 5 * time.Second, MaxWaiting: 16,
	}
}

func readSandbox(v value, c *Config) {
	sandboxKeys().read(v, &c.Sandbox)
	v.r.checkSandbox(v)
}

// checkSandbox looks at what is known only when the whole table has been read, or is known to be missing.
func (r *reader) checkSandbox(v value) {
	s := r.config.Sandbox
	if inside, err := filepath.Rel(s.Dir, s.Cache); err == nil && inside != ".." && !strings.HasPrefix(inside, "../") {
		v.child("cache").fail("must not be inside of sandbox.dir: who may drop plugins there must not write compiled code")
	}
	r.plugins = r.sources.plugins(s.Dir)
}

func sandboxKeys() keys[Sandbox] {
	k := keys[Sandbox]{
		{"dir", func(v value, s *Sandbox) { v.path(&s.Dir) }},
		{"cache", func(v value, s *Sandbox) { v.path(&s.Cache) }},
	}
	for _, limit := range pluginLimitKeys() {
		k = append(k, keys[Sandbox]{{limit.name, func(v value, s *Sandbox) { limit.read(v, &s.Limits) }}}...)
	}
	return k
}

// pluginLimitKeys stand in [sandbox] and in each [plugins.NAME].
func pluginLimitKeys() keys[PluginLimits] {
	const most = 1_000_000_000_000
	return keys[PluginLimits]{
		{"memory", func(v value, l *PluginLimits) { readMemory(v, &l.Memory) }},
		{"fuel", func(v value, l *PluginLimits) { integer(v, &l.Fuel, 1000, most) }},
		{"slice", func(v value, l *PluginLimits) { integer(v, &l.Slice, 1000, 100_000_000) }},
		{"fuel_start", func(v value, l *PluginLimits) { integer(v, &l.FuelStart, 1000, most) }},
		{"time_limit", func(v value, l *PluginLimits) { v.duration(&l.TimeLimit, time.Millisecond, time.Minute) }},
		{"max_instances", func(v value, l *PluginLimits) { integer(v, &l.MaxInstances, 1, 10_000) }},
		{"max_uses", func(v value, l *PluginLimits) { integer(v, &l.MaxUses, 0, most) }},
		{"wait_timeout", func(v value, l *PluginLimits) { v.duration(&l.WaitTimeout, 0, time.Minute) }},
		{"buffer_limit", func(v value, l *PluginLimits) { size(v, &l.BufferLimit, 1<<10, 1<<30) }},
		{"fetch_timeout", func(v value, l *PluginLimits) { v.duration(&l.FetchTimeout, time.Millisecond, time.Minute) }},
		{"max_waiting", func(v value, l *PluginLimits) { integer(v, &l.MaxWaiting, 1, 10_000) }},
	}
}

// readMemory wants whole pages of WebAssembly, at most as many as the plugin host gives.
func readMemory(v value, dst *int64) {
	const page = 64 << 10
	bytes := *dst
	size(v, &bytes, page, 1<<30)
	if bytes%page != 0 {
		v.fail("must be a multiple of 64KiB, the page size of WebAssembly: perhaps %q", sizeText((bytes/page+1)*page))
		return
	}
	*dst = bytes
}

// checkPluginName refuses what no plugin file can be called.
func (v value) checkPluginName(name string) bool {
	if !v.checkName(name) {
		return false
	}
	if slices.Contains(nativeNames(), name) {
		v.fail("%q is the name of a native filter: a plugin cannot have it", name)
		return false
	}
	v.r.plugins = append(v.r.plugins, name)
	return true
}

func readPlugin(v value, name string) Plugin {
	p := Plugin{Key: v.key, Limits: v.r.config.Sandbox.Limits}
	pluginKeys().read(v, &p)
	p.File = cmp.Or(p.File, filepath.Join(v.r.config.Sandbox.Dir, name+".wasm"))
	return p
}

func pluginKeys() keys[Plugin] {
	k := keys[Plugin]{
		{"file", func(v value, p *Plugin) { v.path(&p.File) }},
		{"sha256", func(v value, p *Plugin) { readHash(v, &p.SHA256) }},
		{"grants", func(v value, p *Plugin) { readGrants(v, &p.Grants) }},
		{"hidden_headers", func(v value, p *Plugin) { v.texts(&p.HiddenHeaders, "field names", checkHidden) }},
	}
	for _, limit := range pluginLimitKeys() {
		k = append(k, keys[Plugin]{{limit.name, func(v value, p *Plugin) { limit.read(v, &p.Limits) }}}...)
	}
	return k
}

func readHash(v value, dst *string) {
	s, ok := v.text("64 hexadecimal digits")
	if !ok {
		return
	}
	s = strings.ToLower(s)
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		v.fail("is no SHA-256: 64 hexadecimal digits, as sha256sum prints them")
		return
	}
	*dst = s
}
