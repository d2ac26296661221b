package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The request that every proxy gets, and the answer that the backend gives. All get the key, though only key-auth asks.
const (
	path      = "/bench/item"
	keyHeader = "X-Api-Key"
	key       = "bench-key"
	payload   = `{"id":"7f3c2a91-55d0-4c1e-9b7e-2f0d8a6b4c11","name":"Sallyport bench item","description":"A small answer ` +
		`such as APIs give all day long, neither empty nor big.","price":99,"currency":"EUR","tags":["gateway","proxy","benchmark"],` +
		`"stock":{"here":12,"there":7}}` + "\n"
)

// site is what a contender is told: where to write, where to listen and whom to ask.
type site struct {
	dir       string // for its files
	certs     string // folder of the certificate's files
	address   string // to listen on
	backend   string // address
	self      string // this program
	sallyport string // the gateway's binary
	plugins   string // folder of .wasm files
}

// server is how to start a contender.
type server struct {
	argv []string
	env  []string // added to this program's own
}

// contender is a proxy that can be measured.
type contender struct {
	name     string
	protocol protocol
	program  string   // to be found in PATH; "": none needed
	plugins  []string // of Sallyport
	gateway  bool     // it is Sallyport
	setUp    func(site) (server, error)
}

// oneThread is the environment of programs written in Go.
var oneThread = []string{"GOMAXPROCS=1"}

func contenders() []contender {
	return []contender{
		gatewayWith("sallyport"),
		gatewayTelling("sallyport+telemetry"),
		gatewayWith("sallyport+ratelimit", rateLimitFilter),
		gatewayWith("sallyport+1plugin", firstPluginFilter),
		gatewayWith("sallyport+3plugins", ipRulesFilter, keyAuthFilter, firstPluginFilter),
		{name: "nginx", program: "nginx", setUp: nginxProxy},
		{name: "haproxy", program: "haproxy", setUp: haproxyProxy},
		{name: "reverseproxy", setUp: reverseProxy},
		{name: "caddy", program: "caddy", setUp: caddyProxy},
		gatewayOver(tls1),
		{name: "nginx/tls", protocol: tls1, program: "nginx", setUp: nginxTLS},
		{name: "haproxy/tls", protocol: tls1, program: "haproxy", setUp: haproxyTLS},
		gatewayOver(h2),
		{name: "nginx/h2", protocol: h2, program: "nginx", setUp: nginxTLS},
		{name: "haproxy/h2", protocol: h2, program: "haproxy", setUp: haproxyTLS},
	}
}

// missing names what the contender needs and this machine does not have, or "".
func (c contender) missing(at site) string {
	for _, program := range []string{c.program, c.protocol.needs()} {
		if program == "" {
			continue
		}
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	var files []string
	if c.gateway {
		files = append(files, at.sallyport)
	}
	for _, name := range c.plugins {
		files = append(files, filepath.Join(at.plugins, name+".wasm"))
	}
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return file
		}
	}
	return ""
}

// writeConfig writes a contender's file, with the words in braces replaced, and returns its path.
func (s site) writeConfig(name, text string) (string, error) {
	file := filepath.Join(s.dir, name)
	text = strings.NewReplacer("{DIR}", s.dir, "{CERTS}", s.certs, "{ADDRESS}", s.address, "{BACKEND}", s.backend).Replace(text)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

func reverseProxy(s site) (server, error) {
	return server{argv: []string{s.self, serveVerb, s.address, s.backend}, env: oneThread}, nil
}
