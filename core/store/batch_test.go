package store

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/redis"
	"github.com/sallyport/sallyport/core/limit"
)

// startBatch starts a Batch of the limit "l" that nothing is known of.
func startBatch(t *testing.T, r *Redis, p limit.Policy, told func(err error)) *Batch {
	t.Helper()
	counter, err := limit.New(p, 1000)
	must(t, err)
	return r.NewBatch(BatchOptions{Policy: p, Limit: "l", Every: 10 * time.Millisecond, Keys: 1000, Counter: counter.(limit.Learner), Told: told})
}

// left returns what the store has left of the key, and takes a unit for that.
func left(t *testing.T, r *Redis, p limit.Policy, key string) int64 {
	t.Helper()
	return takeOne(t, r, limit.Ask{Policy: p, Limit: "l", Key: key, N: 1}).Remaining
}

// A Redis that hangs does what it was asked when it wakes up: it must not have been asked for the same again and again.
func TestBatchTellsOnceThoughRedisHangs(t *testing.T) {
	server := redis.New(t)
	p := limit.Policy{Algorithm: limit.Quota, Count: 1000, Per: limit.Month}
	r := connect(t, server, func(o *RedisOptions) { o.Timeout = 20 * time.Millisecond })
	var told, failures atomic.Int64
	b := startBatch(t, r, p, func(err error) {
		if err != nil {
			failures.Add(1)
			return
		}
		told.Add(1)
	})
	waitFor(t, "Redis is told", func() bool {
		b.Note(2, "another", 1)
		return told.Load() > 3
	})
	server.Pause()
	b.Note(1, "k", 10)
	before := failures.Load()
	waitFor(t, "it was told several times", func() bool {
		b.Note(2, "another", 1) // there is always something to tell
		return failures.Load() > before+3
	})
	server.Resume()
	waitFor(t, "Redis answers again", func() bool { return r.Ping() == nil })
	b.Close()
	patient := connect(t, server, nil)
	if got := left(t, patient, p, "k"); got < 989 {
		t.Errorf("%d are left of 1000, 11 were taken", got)
	}
}

// One key that the store refuses is not told again and again together with others that it took.
func TestBatchTellsOnceThoughOneIsRefused(t *testing.T) {
	server := redis.New(t)
	p := limit.Policy{Algorithm: limit.Quota, Count: 1000, Per: limit.Month}
	r := connect(t, server, nil)
	bad := limit.Ask{Policy: p, Limit: "l", Key: "bad", N: 1}
	server.Do("LPUSH", r.alone(&bad), "no number")
	var failures atomic.Int64
	b := startBatch(t, r, p, func(err error) {
		if err != nil {
			failures.Add(1)
		}
	})
	b.Note(16, "k", 10)
	b.Note(16, "bad", 1)
	waitFor(t, "it was told several times", func() bool { return failures.Load() > 3 })
	b.Close()
	if got := left(t, r, p, "k"); got != 989 {
		t.Errorf("%d are left of 1000, 11 were taken", got)
	}
}

// What was given back after the store has forgotten that it was taken is no more than all.
func TestBookWhatWasForgotten(t *testing.T) {
	r := connect(t, redis.New(t), nil)
	for _, p := range policies() {
		ask := limit.Ask{Policy: p, Limit: "l", Key: "k", N: -50}
		known, err := r.Book([]limit.Ask{ask})
		if err = errors.Join(err, known[0].Err); err != nil {
			t.Fatalf("%+v: %v", p, err)
		}
		if got := left(t, r, p, "k"); got != 99 {
			t.Errorf("%+v: %d are left of 100, 1 was taken", p, got)
		}
	}
}

// Limits may be slow and what is told be much: a day's worth of a million times 86 seconds is longer than a Duration counted in units.
func TestBatchLearnsOfMuch(t *testing.T) {
	p := limit.Policy{Algorithm: limit.GCRA, Count: 1_000_000, Per: 24 * time.Hour, Burst: 1_000_000}
	counter, err := limit.New(p, 100)
	must(t, err)
	b := &Batch{Learner: counter.(limit.Learner), o: BatchOptions{Policy: p, Keys: 100}}
	s := &b.shards[7]
	s.taken = map[string]taken{"k": {7, 900_000}}
	b.learn(7, &limit.Ask{Key: "k"}, limit.Standing{})
	if got := b.Peek(7, b.At(time.Now()), 1).Remaining; got < 99_999 || got > 100_100 {
		t.Errorf("%d are left of a million, 900000 were taken", got)
	}
}
