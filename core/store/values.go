package store

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Values are the values of one name in a Redis. They do what Memory does, but for three things: a value that is to be kept for good is kept
// for as long as the store's options say since it was written, what is used least is not found out here, and every operation may
// take as long as the store's timeout, or fail.
type Values struct {
	store *Redis
	name  string // with the prefix
}

// Values returns what is kept under a name, apart from that of other names.
func (r *Redis) Values(name string) *Values {
	return &Values{r, r.o.Prefix + "kv:" + name + ":"}
}

// Waits marks a store whose operations wait for others.
func (v *Values) Waits() {}

// addScript adds to a number in KEYS[1] ARGV[1], kept for ARGV[2] ms if it is new. The sum is text: a number of Lua's would lose digits.
const addScript = `
local fresh = redis.call('EXISTS', KEYS[1]) == 0
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' then return false end
if fresh then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
`

// swapScript stores ARGV[3] in KEYS[1] for ARGV[4] ms if its value is ARGV[2], or if there is none and ARGV[1] is 0.
const swapScript = `
local old = redis.call('GET', KEYS[1])
if (old ~= false) ~= (ARGV[1] == '1') or (old and old ~= ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1
`

// found is a value that may not be there.
type found struct {
	value string
	there bool
}

func text(reply rueidis.RedisResult) (found, error) {
	value, err := reply.ToString()
	if rueidis.IsRedisNil(err) {
		return found{}, nil
	}
	return found{value, err == nil}, err
}

// Get returns the value of key, and whether there is one.
func (v *Values) Get(key string) (string, bool, error) {
	key = v.name + key
	got, err := ask(v.store, func(ctx context.Context, c rueidis.Client) (found, error) {
		return text(c.Do(ctx, c.B().Get().Key(key).Build()))
	})
	return got.value, got.there, err
}

// Set stores a value for ttl.
func (v *Values) Set(key, value string, ttl time.Duration) error {
	key, value = v.name+key, string([]byte(value))
	_, err := ask(v.store, func(ctx context.Context, c rueidis.Client) (struct{}, error) {
		return struct{}{}, c.Do(ctx, c.B().Set().Key(key).Value(value).PxMilliseconds(v.millis(ttl)).Build()).Error()
	})
	return err
}

// Delete reports whether there was a value.
func (v *Values) Delete(key string) (bool, error) {
	key = v.name + key
	n, err := ask(v.store, func(ctx context.Context, c rueidis.Client) (int64, error) {
		return c.Do(ctx, c.B().Del().Key(key).Build()).AsInt64()
	})
	return n > 0, err
}

// Add adds to a number and returns the sum; it reports false for what is no number, and for a sum that does not fit.
func (v *Values) Add(key string, delta int64, ttl time.Duration) (int64, bool, error) {
	keys, args := []string{v.name + key}, []string{strconv.FormatInt(delta, 10), v.millisText(ttl)}
	got, err := ask(v.store, func(ctx context.Context, c rueidis.Client) (found, error) {
		return text(v.store.add.Exec(ctx, c, keys, args))
	})
	if err != nil || !got.there {
		return 0, false, err
	}
	sum, err := strconv.ParseInt(got.value, 10, 64)
	return sum, err == nil, err
}

// Swap stores next if the value is old, or if there is none and there is false.
func (v *Values) Swap(key, old string, there bool, next string, ttl time.Duration) (bool, error) {
	flag := "0"
	if there {
		flag = "1"
	}
	keys, args := []string{v.name + key}, []string{flag, string([]byte(old)), string([]byte(next)), v.millisText(ttl)}
	n, err := ask(v.store, func(ctx context.Context, c rueidis.Client) (int64, error) {
		return v.store.swap.Exec(ctx, c, keys, args).AsInt64()
	})
	return n > 0, err
}

// millis is a ttl as Redis takes it; no value is without one.
func (v *Values) millis(ttl time.Duration) int64 {
	if ttl <= 0 {
		ttl = v.store.o.Keep
	}
	return min(max(ttl.Milliseconds(), 1), math.MaxInt32*1000)
}

func (v *Values) millisText(ttl time.Duration) string { return strconv.FormatInt(v.millis(ttl), 10) }
