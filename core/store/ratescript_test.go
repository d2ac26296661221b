package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/sallyport/sallyport/core/gatewaytest/redis"
	"github.com/sallyport/sallyport/core/limit"
)

// clocked is the script with a clock of the test's.
type clocked struct {
	r   *Redis
	lua *rueidis.Lua
}

func newClocked(t *testing.T) *clocked {
	t.Helper()
	script := strings.Replace(rateScript, "redis.call('TIME')", "{ ARGV[#ARGV - 1], ARGV[#ARGV] }", 1)
	if script == rateScript {
		t.Fatal("the script does not ask for the time as it did")
	}
	return &clocked{connect(t, redis.New(t), nil), rueidis.NewLuaScript(script)}
}

func (c *clocked) take(t *testing.T, at time.Time, a limit.Ask) (limit.Decision, []int64) {
	t.Helper()
	args := append(appendAsk(nil, &a, false), strconv.FormatInt(at.Unix(), 10), strconv.Itoa(at.Nanosecond()/1000))
	numbers, err := ask(c.r, func(ctx context.Context, client rueidis.Client) ([]int64, error) {
		return integers(c.lua.Exec(ctx, client, []string{c.r.alone(&a)}, args), 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	return decision(numbers), numbers
}

// Over years, step by step at the same times, the script and the algorithms in memory decide alike.
func TestScriptAgreesWithMemoryOverTime(t *testing.T) {
	c := newClocked(t)
	for i, p := range append(policies(),
		limit.Policy{Algorithm: limit.GCRA, Count: 5, Per: time.Second, Burst: 7},
		limit.Policy{Algorithm: limit.SlidingWindow, Count: 9, Per: time.Minute},
		limit.Policy{Algorithm: limit.Quota, Count: 30, Per: time.Hour},
	) {
		local, err := limit.New(p, 100)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(uint64(i), 1))
		now := time.Date(2023, 12, 31, 23, 59, 0, 0, time.UTC)
		reach := max(int64(p.Per/time.Millisecond/10), 400)
		for step := range 400 {
			now = now.Add(time.Duration(random.Int64N(reach)) * time.Millisecond)
			n := random.Int64N(p.Most()/3) + 1
			want := local.Take(7, now.UnixNano(), n)
			got, _ := c.take(t, now, limit.Ask{Policy: p, Limit: fmt.Sprint(i), Key: "k", N: n})
			if got.Allowed != want.Allowed || got.Remaining != want.Remaining || !alike(got.Reset, want.Reset) || !alike(got.RetryAfter, want.RetryAfter) {
				t.Fatalf("%+v, step %d at %v, %d units:\ngot  %+v\nwant %+v", p, step, now, n, got, want)
			}
		}
	}
}

// alike allows for the microseconds that the script counts in.
func alike(a, b time.Duration) bool { return (a - b).Abs() <= 3*time.Microsecond }

// Months are those of the calendar, whatever the year.
func TestMonthsOfTheScript(t *testing.T) {
	c := newClocked(t)
	p := limit.Policy{Algorithm: limit.Quota, Count: 1000, Per: limit.Month}
	for _, text := range []string{
		"1970-01-01 00:00:00", "1999-12-31 23:59:59", "2000-02-29 12:00:00", "2000-03-01 00:00:00", "2023-02-28 23:59:59", "2024-02-29 00:00:01",
		"2026-11-30 23:59:59", "2026-12-01 00:00:00", "2100-02-28 10:00:00", "2100-03-01 00:00:00", "2399-12-31 00:00:00",
	} {
		at, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		first := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		d, numbers := c.take(t, at, limit.Ask{Policy: p, Limit: "m", Key: text[:4], N: 1})
		if want := first.AddDate(0, 1, 0).Sub(at); d.Reset != want {
			t.Errorf("%s: ends in %v, want %v", text, d.Reset, want)
		}
		if want := int64(at.Year())*12 + int64(at.Month()) - 1; numbers[4] != want {
			t.Errorf("%s: month %d, want %d", text, numbers[4], want)
		}
	}
}

// A limit that a new config has changed goes on with what was taken, not with the time that it took to come back.
func TestScriptFollowsAChangedRate(t *testing.T) {
	slow := limit.Policy{Algorithm: limit.GCRA, Count: 1, Per: time.Minute, Burst: 50}
	fast := limit.Policy{Algorithm: limit.GCRA, Count: 100, Per: time.Second, Burst: 100}
	c := newClocked(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ask := func(p limit.Policy, n, want int64) {
		t.Helper()
		if d, _ := c.take(t, now, limit.Ask{Policy: p, Limit: "l", Key: "k", N: n}); !d.Allowed || d.Remaining != want {
			t.Errorf("%+v, %d units: got %+v, want %d left", p, n, d, want)
		}
	}
	ask(slow, 50, 0)
	ask(fast, 1, 49)
	now = now.Add(500 * time.Millisecond)
	ask(fast, 1, 98)
	ask(slow, 1, 47)
}
