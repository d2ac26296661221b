// Command backend is the sample service behind the gateway in the quick start and in tests: one process that answers
// on several addresses and tells in each answer which of them it was and what arrived there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// drain is how long running requests may take after SIGTERM.
const drain = 5 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:9001,127.0.0.1:9002", "addresses to answer on, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*listen, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

// run serves on every address until ctx ends, then lets running requests finish. It listens on all of them before it
// serves on any, so an address in use is an error at once.
func run(ctx context.Context, addresses []string) error {
	listeners, err := listenAll(addresses)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() {
			err := serve(ctx, l)
			cancel(err)
			done <- err
		}()
	}
	var errs []error
	for range listeners {
		errs = append(errs, <-done)
	}
	return errors.Join(errs...)
}

func listenAll(addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := net.Listen("tcp", strings.TrimSpace(address))
		if err != nil {
			for _, open := range listeners {
				open.Close()
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// serve answers on l until ctx ends or l fails.
func serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           newService(l.Addr().String(), ctx.Done()),
		ReadHeaderTimeout: 10 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	return server.Shutdown(grace)
}
