package main

import "context"

// protocol is what a contender is asked in. Rows are compared with nginx's of the same protocol.
type protocol string

const (
	plain protocol = ""     // HTTP/1.1
	tls1  protocol = "/tls" // HTTP/1.1 over TLS 1.3
	h2    protocol = "/h2"  // HTTP/2 over TLS 1.3
)

func (p protocol) url(address string) string {
	if p == plain {
		return "http://" + address + path
	}
	return "https://" + address + path
}

// load loads the proxy at address for so many seconds, from the load's core.
func (p protocol) load(ctx context.Context, address string, seconds int) (load, error) {
	if p == h2 {
		return runH2load(ctx, p.url(address), seconds)
	}
	return runWrk(ctx, p.url(address), seconds)
}

// needs names the programs without which a protocol cannot be measured.
func (p protocol) needs() string {
	if p == h2 {
		return "h2load"
	}
	return "wrk"
}
