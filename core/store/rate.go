package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport/sallyport/core/limit"
)

// perKey is how many values rateScript takes and returns for each key.
const perKey = 7

// Take takes for all asks at once, or for none if one is denied that is not dry; answers gets a decision for each. Several asks must
// have the same group: in a cluster, their keys live together.
func (r *Redis) Take(group string, asks []limit.Ask, answers []limit.Decision) error {
	keys, args := make([]string, len(asks)), make([]string, 0, perKey*len(asks))
	for i := range asks {
		if len(asks) == 1 {
			keys[i] = r.alone(&asks[i])
		} else {
			keys[i] = r.o.Prefix + "limit:{" + tag(group) + "}:" + name(&asks[i])
		}
		args = appendAsk(args, &asks[i], false)
	}
	numbers, err := ask(r, func(ctx context.Context, c rueidis.Client) ([]int64, error) {
		return integers(r.rate.Exec(ctx, c, keys, args), len(keys))
	})
	if err != nil {
		return err
	}
	for i := range asks {
		answers[i] = decision(numbers[i*perKey:])
	}
	return nil
}

// Booked is what became of one ask of Book: what is known of its key then, or why it is not.
type Booked struct {
	limit.Standing
	Err error
}

// Book takes what was granted already, whatever there is. The asks need no group, and one can fail while others do not; the error is that of
// the first if all have.
func (r *Redis) Book(asks []limit.Ask) ([]Booked, error) {
	execs := make([]rueidis.LuaExec, len(asks))
	for i := range asks {
		execs[i] = rueidis.LuaExec{Keys: []string{r.alone(&asks[i])}, Args: appendAsk(nil, &asks[i], true)}
	}
	return ask(r, func(ctx context.Context, c rueidis.Client) ([]Booked, error) {
		all, failed := make([]Booked, len(execs)), 0
		for i, reply := range r.execAll(ctx, c, execs) {
			numbers, err := integers(reply, 1)
			if err != nil {
				all[i].Err = err
				failed++
				continue
			}
			all[i].Standing = limit.Standing{Ahead: micros(numbers[2]), Window: numbers[4], Previous: numbers[5], Current: numbers[6]}
		}
		if failed == len(all) && failed > 0 {
			return nil, all[0].Err
		}
		return all, nil
	})
}

// execAll runs rateScript many times in one round trip, and once more where it was not known. (rueidis would load it each time before.)
func (r *Redis) execAll(ctx context.Context, c rueidis.Client, execs []rueidis.LuaExec) []rueidis.RedisResult {
	commands := make(rueidis.Commands, len(execs))
	for i, one := range execs {
		commands[i] = c.B().Evalsha().Sha1(r.rateSHA).Numkeys(int64(len(one.Keys))).Key(one.Keys...).Arg(one.Args...).Build()
	}
	replies := c.DoMulti(ctx, commands...)
	var unknown []rueidis.LuaExec
	var at []int
	for i := range replies {
		if err, said := rueidis.IsRedisErr(replies[i].Error()); said && err.IsNoScript() {
			unknown, at = append(unknown, execs[i]), append(at, i)
		}
	}
	if unknown == nil {
		return replies
	}
	for j, reply := range r.rate.ExecMulti(ctx, c, unknown...) {
		replies[at[j]] = reply
	}
	return replies
}

// isRefused reports whether an operation has surely not been done: the store has said so, or was not asked.
func isRefused(err error) bool {
	var said *rueidis.RedisError
	return errors.As(err, &said) || errors.Is(err, ErrUnavailable)
}

// alone is the key of a limit that is decided on by itself: a cluster spreads its keys.
func (r *Redis) alone(a *limit.Ask) string { return r.o.Prefix + "limit:{" + tag(name(a)) + "}" }

func name(a *limit.Ask) string {
	return a.Policy.Algorithm.String() + ":" + a.Limit + ":" + a.Key
}

// tag makes a text fit to be between braces: a cluster would take the first closing one for the end.
func tag(text string) string { return strings.ReplaceAll(text, "}", "|") }

func appendAsk(args []string, a *limit.Ask, booked bool) []string {
	per := a.Policy.Per.Microseconds()
	if a.Policy.Per == limit.Month {
		per = 0
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	flag := func(b bool) string { return map[bool]string{false: "0", true: "1"}[b] }
	return append(args, a.Policy.Algorithm.String(), number(a.N), number(a.Policy.Count), number(per), number(a.Policy.Burst), flag(a.Dry), flag(booked))
}

// integers checks the reply for n keys.
func integers(reply rueidis.RedisResult, n int) ([]int64, error) {
	numbers, err := reply.AsIntSlice()
	switch {
	case err != nil:
		return nil, err
	case len(numbers) != n*perKey:
		return nil, fmt.Errorf("%d numbers for %d keys", len(numbers), n)
	case slices.Min(numbers) < 0 || slices.Max(numbers) > math.MaxInt64/int64(time.Microsecond):
		return nil, errors.New("numbers that no limit has")
	}
	return numbers, nil
}

func decision(numbers []int64) limit.Decision {
	return limit.Decision{Allowed: numbers[0] == 1, Remaining: numbers[1], Reset: micros(numbers[2]), RetryAfter: micros(numbers[3])}
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
