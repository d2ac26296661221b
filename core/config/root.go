package config

import (
	"path/filepath"
	"slices"
)

// readConfig reads the whole file. The order is that of the references: filters name plugins, routes name upstreams.
func (r *reader) readConfig(root value) {
	c := r.config
	c.Server = Server{DrainTimeout: defaultDrain}
	c.Log = Log{Access: "stdout", Level: "info"}
	c.Metrics = Metrics{ServiceName: "sallyport"}
	c.Sandbox = Sandbox{
		Dir: filepath.Join(r.folder, "plugins"), Cache: filepath.Join(r.folder, ".cache", "wasm"), Limits: defaultPluginLimits(),
	}
	if !root.has("server") {
		root.child("server").fail("is missing: a config needs a [server] table with the addresses to listen on")
	}
	if !root.has("sandbox") {
		r.checkSandbox(root.child("sandbox"))
	}
	r.root = root
	rootKeys().read(root, c)
	c.finishMetrics(root)
	r.checkListeners(root)
}

// rootKeys are the tables of the file.
func rootKeys() keys[Config] {
	return keys[Config]{
		{"server", readServer},
		{"admin", readAdmin},
		{"log", func(v value, c *Config) { readLog(v, &c.Log) }},
		{"metrics", func(v value, c *Config) { metricsKeys().read(v, &c.Metrics) }},
		{"tracing", readTracing},
		{"sandbox", readSandbox},
		{"upstreams", func(v value, c *Config) { c.Upstreams = readUpstreams(v) }},
		{"secrets", func(v value, c *Config) { c.Secrets = named(v, value.checkName, readNamedSecret) }},
		{"stores", func(v value, c *Config) { c.Stores = named(v, value.checkName, readStore) }},
		{"kv", func(v value, c *Config) { c.KV = named(v, value.checkName, readKV) }},
		{"limits", func(v value, c *Config) { c.Limits = named(v, value.checkName, readLimit) }},
		{"jwt", func(v value, c *Config) { c.JWT = named(v, value.checkName, readJWT) }},
		{"passwords", func(v value, c *Config) { c.Passwords = named(v, value.checkName, readPasswords) }},
		{"schemas", func(v value, c *Config) { c.Schemas = named(v, value.checkName, readSchema) }},
		{"plugins", func(v value, c *Config) { c.Plugins = named(v, value.checkPluginName, readPlugin) }},
		{"filters", func(v value, c *Config) { c.Filters = readGlobalFilters(v) }},
		{"routes", func(v value, c *Config) { c.Routes = readRoutes(v) }},
	}
}

// checkListeners notes addresses that are listened on twice, the admin's among them.
func (r *reader) checkListeners(root value) {
	var seen []string
	for i, l := range r.config.Server.Listen {
		if slices.Contains(seen, l.Address) && !anyPort(l.Address) {
			value{r, element("server.listen", i), nil}.fail("%s is in the list already", l.Address)
		}
		seen = append(seen, l.Address)
	}
	if a := r.config.Admin; a != nil && slices.Contains(seen, a.Listen) && !anyPort(a.Listen) {
		root.child("admin").child("listen").fail("%s is in server.listen, too: the admin interface needs an address of its own", a.Listen)
	}
}
