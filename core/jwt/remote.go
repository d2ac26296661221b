package jwt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	defaultRefresh = 15 * time.Minute
	soonest        = time.Minute      // between two fetches that go well
	latest         = 24 * time.Hour   //
	coolDown       = 30 * time.Second // between two fetches because of keys that are not known: tokens must not make us hammer the issuer
	firstRetry     = time.Second      // after a fetch that failed
	lastRetry      = 5 * time.Minute
	fetchTime      = 10 * time.Second
	maxKeySet      = 1 << 20 // bytes
)

// remote fetches a key set again and again, from one goroutine. What was fetched once is kept when later fetches fail.
type remote struct {
	url     string
	refresh time.Duration
	client  *http.Client
	log     *slog.Logger
	store   func(*keySet)
	stop    context.CancelFunc
	done    chan struct{}
	kick    chan struct{} // holds one: fetch now

	mu       sync.Mutex
	fetching bool
	last     time.Time     // when the last fetch ended
	next     chan struct{} // closed at the end of the fetch that runs, or else of the next one
}

func newRemote(o Options, store func(*keySet)) *remote {
	ctx, stop := context.WithCancel(context.Background())
	r := &remote{
		url: o.URL, refresh: o.Refresh, client: o.Client, log: o.Log, store: store, stop: stop,
		done: make(chan struct{}), kick: make(chan struct{}, 1), fetching: true, next: make(chan struct{}),
	}
	if r.refresh <= 0 {
		r.refresh = defaultRefresh
	}
	if r.client == nil {
		r.client = &http.Client{Timeout: fetchTime}
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	r.log = r.log.With("jwt", o.Name)
	go r.run(ctx)
	return r
}

func (r *remote) close() {
	r.stop()
	<-r.done
}

func (r *remote) run(ctx context.Context) {
	defer close(r.done)
	for retry := firstRetry; ; {
		next, err := r.fetch(ctx)
		r.fetched()
		if err != nil && ctx.Err() == nil {
			r.log.Warn("cannot fetch keys, those known stay", "url", r.url, "error", err, "retry", retry)
			next, retry = retry, min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		// Gateways that were started together should not ask together.
		timer := time.NewTimer(next - time.Duration(rand.Int64N(int64(next/10)+1)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			r.begin()
		case <-r.kick:
			timer.Stop()
		}
	}
}

func (r *remote) begin() {
	r.mu.Lock()
	r.fetching = true
	r.mu.Unlock()
}

// fetched wakes who waits for the fetch that has ended.
func (r *remote) fetched() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.next)
	r.next, r.fetching, r.last = make(chan struct{}), false, time.Now()
}

// await waits for the fetch that runs, or has the keys fetched unless that was done just now. It reports false when there is nothing new to be
// expected.
func (r *remote) await(ctx context.Context) bool {
	r.mu.Lock()
	fetched := r.next
	switch {
	case r.fetching:
	case time.Since(r.last) < coolDown:
		r.mu.Unlock()
		return false
	default:
		r.fetching = true
		r.kick <- struct{}{} // there is room: whoever filled it set fetching
	}
	r.mu.Unlock()
	select {
	case <-fetched:
		return true
	case <-r.done:
	case <-ctx.Done():
	}
	return false
}

// fetch gets the key set and returns when to get it again.
func (r *remote) fetch(ctx context.Context) (next time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("answered %s", resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	switch {
	case err != nil:
		return 0, err
	case len(text) > maxKeySet:
		return 0, errors.New("the key set is too large")
	}
	set, err := parseJWKS(text)
	if err != nil {
		return 0, err
	}
	r.store(set)
	return r.nextFetch(resp.Header.Get("Cache-Control")), nil
}

// nextFetch follows Cache-Control's max-age within bounds.
func (r *remote) nextFetch(cacheControl string) time.Duration {
	next := r.refresh
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if seconds, err := strconv.Atoi(value); strings.EqualFold(name, "max-age") && err == nil && seconds > 0 {
			next = time.Duration(min(seconds, int(latest/time.Second))) * time.Second
		}
	}
	return min(max(next, soonest), latest)
}
