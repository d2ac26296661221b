package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// serveVerb makes this program one of the proxies that it measures.
const serveVerb = "serve-reverseproxy"

// serveReverseProxy is the standard library's proxy, tuned as its users tune it: enough idle connections to the
// backend and a pool of buffers. It serves until ctx ends.
func serveReverseProxy(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New(serveVerb + " needs an address to listen on and the backend's")
	}
	server := &http.Server{Addr: args[0], Handler: newReverseProxy(args[1]), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

func newReverseProxy(backend string) http.Handler {
	target := &url.URL{Scheme: "http", Host: backend}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			MaxIdleConns:        256,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
		BufferPool: &bufferPool{},
	}
}

// bufferPool lends buffers of the size that ReverseProxy makes itself without one.
type bufferPool struct {
	pool sync.Pool
}

func (p *bufferPool) Get() []byte {
	if buf, ok := p.pool.Get().(*[]byte); ok {
		return *buf
	}
	return make([]byte, 32<<10)
}

func (p *bufferPool) Put(buf []byte) { p.pool.Put(&buf) }
