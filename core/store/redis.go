package store

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// RedisOptions say where a Redis, a Valkey or a cluster of them is, and how it is used.
type RedisOptions struct {
	Addresses []string // host:port; several are nodes of one cluster
	Username  string
	Password  string
	TLS       *tls.Config // nil: plain
	DB        int
	Prefix    string        // before every key
	Timeout   time.Duration // for one operation, connecting included
	Keep      time.Duration // how long a value is kept that is to be kept for good
	// Changed is told when the store is given up for a while, with the reason, and when it is back, with nil. It must not wait. nil: nobody is told.
	Changed func(err error)
}

// connectTimeout is for connecting in the background, whoever waits for it: with only an operation's own deadline, a Redis that is some
// milliseconds away by TLS could never be reached.
const connectTimeout = time.Second

// ErrUnavailable says that a store was not asked, since it failed just before.
var ErrUnavailable = errors.New("the store has failed and is left alone for a moment")

// Redis is a store that several gateways share. Nothing is connected before the first operation. No operation takes longer than the
// Timeout, and none waits for a store that keeps failing. It may be used by many goroutines at once.
type Redis struct {
	o      RedisOptions
	rate   *rueidis.Lua
	add    *rueidis.Lua
	swap   *rueidis.Lua
	broken breaker

	rateSHA string // what Redis calls rate

	calls, failures, timeouts, refused atomic.Int64

	mu     sync.Mutex // held while connecting
	client rueidis.Client
	closed bool
}

// NewRedis returns a store that has connected to nothing yet.
func NewRedis(o RedisOptions) *Redis {
	sum := sha1.Sum([]byte(rateScript))
	return &Redis{
		o: o, rate: rueidis.NewLuaScript(rateScript), add: rueidis.NewLuaScript(addScript), swap: rueidis.NewLuaScript(swapScript),
		rateSHA: hex.EncodeToString(sum[:]),
	}
}

// Close closes the connections. Operations fail from then on.
func (r *Redis) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.client != nil {
		r.client.Close()
	}
}

// connected returns the client, made now if there is none. rueidis connects anew by itself once it has been connected.
func (r *Redis) connected(ctx context.Context) (rueidis.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, errors.New("the store is closed")
	case r.client != nil:
		return r.client, nil
	case ctx.Err() != nil: // somebody else has tried in the meantime
		return nil, ctx.Err()
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: r.o.Addresses, Username: r.o.Username, Password: r.o.Password, TLSConfig: r.o.TLS, SelectDB: r.o.DB,
		ClientName: "sallyport", Dialer: net.Dialer{Timeout: connectTimeout}, DialCtxFn: dial, ConnWriteTimeout: connectTimeout,
		DisableRetry: true, // what was sent may have been done
		DisableCache: true, AlwaysPipelining: true, ReadBufferEachConn: 32 << 10, WriteBufferEachConn: 32 << 10,
	})
	if err == nil {
		r.client = client
	}
	return client, err
}

// isReplica reports whether a server says that it is not the one that writes, or not any more.
func isReplica(err error) bool {
	var said *rueidis.RedisError
	return errors.As(err, &said) && strings.HasPrefix(said.Error(), "READONLY")
}

// leave has the next operation connect anew: where the address is a name, it leads to whoever writes now, and old connections do not.
func (r *Redis) leave(c rueidis.Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client == c {
		r.client = nil
		go c.Close() // it waits for what others have asked
	}
}

// result is what an operation brought.
type result[T any] struct {
	value T
	err   error
}

// ask runs an operation within the store's timeout. It goes on in the background if it does not keep to that, as connecting may; then
// nobody learns how it ended.
func ask[T any](r *Redis, do func(ctx context.Context, c rueidis.Client) (T, error)) (T, error) {
	var none T
	if !r.broken.enter(time.Now()) {
		r.refused.Add(1)
		return none, ErrUnavailable
	}
	r.calls.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), r.o.Timeout)
	defer cancel()
	done := make(chan result[T], 1)
	go func() { done <- attempt(ctx, r, do) }()
	var got result[T]
	select {
	case got = <-done:
	case <-ctx.Done():
		got.err = ctx.Err()
	}
	r.note(got.err)
	if got.err != nil {
		return none, fmt.Errorf("asking Redis: %w", got.err)
	}
	return got.value, nil
}

// attempt runs an operation when there is a connection.
func attempt[T any](ctx context.Context, r *Redis, do func(ctx context.Context, c rueidis.Client) (T, error)) result[T] {
	c, err := r.connected(ctx)
	if err == nil {
		err = ctx.Err() // nobody waits any more: then it is not to be done
	}
	if err != nil {
		return result[T]{err: err}
	}
	value, err := do(ctx, c)
	if isReplica(err) {
		r.leave(c)
	}
	return result[T]{value, err}
}

// Ping finds out whether the store answers.
func (r *Redis) Ping() error {
	_, err := ask(r, func(ctx context.Context, c rueidis.Client) (struct{}, error) {
		return struct{}{}, c.Do(ctx, c.B().Ping().Build()).Error()
	})
	return err
}

// note counts how an operation ended.
func (r *Redis) note(err error) {
	if err != nil {
		r.failures.Add(1)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		r.timeouts.Add(1)
	}
	if changed := r.broken.leave(time.Now(), err); changed && r.o.Changed != nil {
		r.o.Changed(err)
	}
}

// RedisStats are what became of a store's operations.
type RedisStats struct {
	Open     bool  // it has failed, and is left alone but for a probe now and then
	Calls    int64 // that were made
	Failures int64 // of them, timeouts included
	Timeouts int64
	Refused  int64 // that were not made, since it was open
}

// Stats returns what became of the operations so far.
func (r *Redis) Stats() RedisStats {
	return RedisStats{r.broken.isOpen(), r.calls.Load(), r.failures.Load(), r.timeouts.Load(), r.refused.Load()}
}
