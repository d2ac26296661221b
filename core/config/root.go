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
	r.checkListeners(root)
}

// rootKeys are the tables of the file.
func rootKeys() keys[Config] {
	return keys[Config]{
		{"server", readServer},
		{"admin", func(v value, c *Config) {
			c.Admin = &Admin{Listen: "127.0.0.1:9901"}
			adminKeys().read(v, c.Admin)
		}},
		{"log", func(v value, c *Config) { logKeys().read(v, &c.Log) }},
		{"sandbox", readSandbox},
		{"upstreams", func(v value, c *Config) { c.Upstreams = readUpstreams(v) }},
		{"secrets", func(v value, c *Config) { c.Secrets = named(v, value.checkName, readNamedSecret) }},
		{"stores", func(v value, c *Config) { c.Stores = named(v, value.checkName, readStore) }},
		{"kv", func(v value, c *Config) { c.KV = named(v, value.checkName, readKV) }},
		{"limits", func(v value, c *Config) { c.Limits = named(v, value.checkName, readLimit) }},
		{"jwt", func(v value, c *Config) { c.JWT = named(v, value.checkName, readJWT) }},
		{"schemas", func(v value, c *Config) { c.Schemas = named(v, value.checkName, readSchema) }},
		{"plugins", func(v value, c *Config) { c.Plugins = named(v, value.checkPluginName, readPlugin) }},
		{"filters", func(v value, c *Config) { c.Filters = readGlobalFilters(v) }},
		{"routes", func(v value, c *Config) { c.Routes = readRoutes(v) }},
	}
}

func adminKeys() keys[Admin] {
	return keys[Admin]{
		{"listen", func(v value, a *Admin) { v.listenAddress(&a.Listen) }},
	}
}

func logKeys() keys[Log] {
	return keys[Log]{
		{"access", func(v value, l *Log) { readAccess(v, &l.Access) }},
		{"level", func(v value, l *Log) { v.oneOf(&l.Level, "debug", "info", "warn", "error") }},
	}
}

// readAccess refuses a lone word that is neither of the two known ones: it would silently make a file of that name.
func readAccess(v value, dst *string) {
	s, ok := v.text(`"stdout", "off" or a path`)
	switch {
	case !ok:
	case s == "stdout" || s == "off":
		*dst = s
	case filepath.Base(s) == s && filepath.Ext(s) == "":
		v.fail(`%q is neither "stdout" nor "off" nor a path%s (a file in the config's folder is written "./%s")`,
			s, didYouMean(s, []string{"stdout", "off"}), s)
	default:
		v.path(dst)
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
