package main

import (
	"path/filepath"
	"strconv"
	"strings"
)

// gatewayHead is the part of a gateway.toml that all of Sallyport's contenders share. The admin listener is off, and metrics with it.
const gatewayHead = `[server]
listen = [{LISTEN}]

[log]
access = {ACCESS}
level = "warn"

[sandbox]
dir = {PLUGINS}
cache = {CACHE}

[upstreams.bench]
endpoints = ["{BACKEND}"]

[[routes]]
name = "bench"
path = "/bench/*rest"
upstream = "bench"
`

// filter is one step of the route's chain.
type filter struct {
	plugin string // "": a native one
	toml   string
}

var (
	rateLimitFilter = filter{toml: `use = "ratelimit"
rate = "10000000/s"
key = "client"
`}
	ipRulesFilter = filter{plugin: "ip-rules", toml: `use = "ip-rules"
config = { allow = ["10.0.0.0/8", "192.168.0.0/16", "127.0.0.0/8", "::1/128"] }
`}
	keyAuthFilter = filter{plugin: "key-auth", toml: `use = "key-auth"
config = { header = "` + keyHeader + `", keys = [{ key = "` + key + `", consumer = "bench" }] }
`}
	firstPluginFilter = filter{plugin: "first-plugin", toml: `use = "first-plugin"
config = { header = "X-First-Plugin", value = "hello from the sandbox" }
`}
)

const (
	plainListener = `"{ADDRESS}"`
	tlsListener   = `{ address = "{ADDRESS}", tls = { certificates = [{ cert = "{CERTS}/` + certFile + `", key = "{CERTS}/` + keyFile + `" }] } }`
)

// telemetry has everything told that can be: metrics, and the traces that are sampled by default. The backend takes what it is sent as a
// collector does, which reads and thanks.
const telemetry = `
[metrics]
otlp = { endpoint = "http://{BACKEND}", protocol = "http", interval = "1s" }

[tracing]
sample = 0.01
otlp = { endpoint = "http://{BACKEND}", protocol = "http" }
`

// gatewayTelling is Sallyport without a filter, with an access log and all telemetry.
func gatewayTelling(name string) contender {
	text := strings.NewReplacer("{LISTEN}", plainListener, "{ACCESS}", `"{DIR}/access.log"`).Replace(gatewayHead) + telemetry
	setUp := func(s site) (server, error) { return gatewayServer(s, text) }
	return contender{name: name, gateway: true, setUp: setUp}
}

// silent is gatewayHead without an access log.
func silent(listener string) string {
	return strings.NewReplacer("{LISTEN}", listener, "{ACCESS}", `"off"`).Replace(gatewayHead)
}

// gatewayOver is Sallyport without a filter, over TLS.
func gatewayOver(p protocol) contender {
	text := silent(tlsListener)
	setUp := func(s site) (server, error) { return gatewayServer(s, text) }
	return contender{name: "sallyport" + string(p), protocol: p, gateway: true, setUp: setUp}
}

// gatewayWith is Sallyport with a chain of these filters.
func gatewayWith(name string, filters ...filter) contender {
	c := contender{name: name, gateway: true}
	var text strings.Builder
	text.WriteString(silent(plainListener))
	for _, f := range filters {
		text.WriteString("  [[routes.filters]]\n" + f.toml)
		if f.plugin != "" {
			c.plugins = append(c.plugins, f.plugin)
		}
	}
	c.setUp = func(s site) (server, error) { return gatewayServer(s, text.String()) }
	return c
}

func gatewayServer(s site, text string) (server, error) {
	binary, err := filepath.Abs(s.sallyport)
	if err != nil {
		return server{}, err
	}
	plugins, err := filepath.Abs(s.plugins)
	if err != nil {
		return server{}, err
	}
	folders := strings.NewReplacer("{PLUGINS}", strconv.Quote(plugins), "{CACHE}", strconv.Quote(filepath.Join(s.dir, "cache")))
	file, err := s.writeConfig("gateway.toml", folders.Replace(text))
	return server{argv: []string{binary, "run", "-c", file}, env: oneThread}, err
}
