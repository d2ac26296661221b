package plugin

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
)

// evilDeeds are what testdata/guests/hostile.wat can do, with the cause that must end it.
var evilDeeds = []struct {
	do   string
	name string
	want []Cause
}{
	{"l", "endless loop", []Cause{OutOfFuel, OutOfTime}},
	{"r", "recursion", []Cause{OutOfStack}},
	{"i", "indirect recursion", []Cause{OutOfStack}},
	{"g", "growth", []Cause{OutOfFuel, OutOfTime}},
	{"f", "memory fill", []Cause{OutOfFuel, OutOfTime}},
	{"c", "memory copy", []Cause{OutOfFuel, OutOfTime}},
	{"b", "table fill", []Cause{OutOfFuel, OutOfTime}},
	{"n", "lines", []Cause{OutOfFuel, OutOfTime}},
	{"w", "random", []Cause{OutOfFuel, OutOfTime}},
	{"u", "trap", []Cause{Trap}},
	{"x", "exit", []Cause{Exited}},
	{"y", "query", []Cause{OutOfFuel, OutOfTime}},
	{"h", "fields", []Cause{OutOfFuel, OutOfTime}},
	{"k", "state", []Cause{OutOfFuel, OutOfTime}},
}

// attack takes an exchange through all hooks and returns what went wrong.
func attack(f chain.Filter) error {
	x := newExchange()
	defer exchanges.Put(x)
	x.Req.Query = strings.Repeat("%61%61&", 2000)
	x.Req.Body = exchange.Body{Length: exchange.Unknown, Source: inPieces("content")}
	if _, err := f.Request(x, 0); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, &x.Req.Body); err != nil {
		return err
	}
	x.Resp.Status = 200
	x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: inPieces("content")}
	if err := f.Response(x, 0); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, &x.Resp.Body); err != nil {
		return err
	}
	if f.Hooks()&chain.OnEnd != 0 {
		f.(chain.Ender).End(x, 0)
	}
	return nil
}

func TestEvilEverywhere(t *testing.T) {
	h, _ := newHost(t)
	p := load(t, h, "hostile", Limits{FuelStart: 200_000_000})
	grants := Grants{Upstreams: map[string]Fetcher{"auth": answering(200, "ok")}}
	for _, deed := range evilDeeds {
		for _, place := range []struct{ at, export string }{
			{"t", "start"}, {"i", "_initialize"}, {"a", "sallyport_abi"}, {"c", "on_configure"}, {"q", "on_request"}, {"m", "on_resume"},
			{"r", "on_request_chunk"}, {"p", "on_response"}, {"s", "on_response_chunk"}, {"e", "on_end"},
		} {
			starting := strings.Contains("tiac", place.at)
			t.Run(deed.name+" in "+place.export, func(t *testing.T) {
				pool, err := p.Configure(fmt.Appendf(nil, `{"at":%q,"do":%q}`, place.at, deed.do), grants)
				if err == nil {
					err = attack(pool.Filter("test", chain.Deny))
				}
				var failure *Failure
				switch {
				case pool != nil && pool.Stats().Instances > 1, pool != nil && !starting && place.at != "e" && pool.Stats().Instances != 0:
					t.Errorf("the instance lives: %+v", pool.Stats())
				case place.at == "e" && err == nil:
					stats, failed := pool.Stats(), 0
					for _, cause := range deed.want {
						failed += int(stats.Failed(cause))
					}
					if failed == 0 {
						t.Errorf("stats are %+v", stats)
					}
				case !errors.As(err, &failure) || failure.Export != place.export || !slices.Contains(deed.want, failure.Cause):
					t.Errorf("got %v, want %v in %s", err, deed.want, place.export)
				}
				if pool != nil {
					pool.Close()
				}
			})
		}
	}
	if p.fleet.total != 0 || len(h.lanes) != 0 {
		t.Errorf("%d instances left, %d in a lane", p.fleet.total, len(h.lanes))
	}
}
