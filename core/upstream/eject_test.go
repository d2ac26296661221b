package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

func plainEject() *EjectOptions {
	return &EjectOptions{ConsecutiveErrors: 5, Interval: 10 * time.Second, BaseTime: 30 * time.Second, MaxTime: 5 * time.Minute, MaxShare: 50}
}

// tries has an endpoint end n tries like that.
func tries(u *Upstream, address string, n int, o outcome) {
	for _, e := range u.all() {
		if e.address == address {
			for range n {
				e.standing.tally.note(o)
			}
		}
	}
}

func ejecting(t *testing.T, change func(o *EjectOptions), addresses ...string) *Upstream {
	t.Helper()
	o := group()
	o.Eject = plainEject()
	if change != nil {
		change(o.Eject)
	}
	return admit(t, o, nil, addresses...)
}

func TestConsecutiveErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		went []outcome
		want string
	}{
		{"gateway errors", slices.Repeat([]outcome{outcomeGateway}, 5), "b"},
		{"of different kinds", []outcome{outcomeGateway, outcomeConnect, outcomeBroken, outcomeTimeout, outcomeGateway}, "b"},
		{"one too few", slices.Repeat([]outcome{outcomeConnect}, 4), "a b"},
		{"an answer between", []outcome{4, 4, 4, 4, outcomeAnswered, 4, 4, 4, 4}, "a b"},
		{"a 500 is an answer", []outcome{4, 4, 4, 4, outcomeServer, 4, 4, 4, 4}, "a b"},
		{"what says nothing, between", []outcome{4, 4, 4, 4, outcomeNeutral, 4}, "b"},
		{"only what says nothing", slices.Repeat([]outcome{outcomeNeutral}, 50), "a b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := ejecting(t, nil, "a:1", "b:1")
				for _, o := range test.went {
					tries(u, "a:1", 1, o)
				}
				wantUsable(t, u, test.want)
			})
		})
	}
}

// Each ejection lasts longer by the base time, up to a maximum, and times are forgotten while the endpoint serves.
func TestHowLongAnEjectionLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := ejecting(t, func(o *EjectOptions) { o.MaxTime = 100 * time.Second }, "a:1", "b:1")
		eject := func(least time.Duration) {
			t.Helper()
			tries(u, "a:1", 5, outcomeConnect)
			wantUsable(t, u, "b")
			time.Sleep(least - time.Millisecond)
			wantUsable(t, u, "b")
			time.Sleep(least/10 + 2*time.Millisecond)
			wantUsable(t, u, "a b")
		}
		eject(30 * time.Second)
		eject(60 * time.Second)
		eject(90 * time.Second)
		eject(100 * time.Second)
		eject(100 * time.Second)
		time.Sleep(20 * time.Second) // two of four are forgotten, and the next is the third
		eject(90 * time.Second)
		time.Sleep(10 * time.Minute)
		eject(30 * time.Second)
		state := u.Endpoints()[0].Standing.Ejection
		if state.Count != 7 || state.Causes["consecutive_errors"] != 7 || state.Errors["connect"] != 35 || state.InARow != 0 {
			t.Errorf("got %+v, want 7 ejections for 35 errors", state)
		}
	})
}

func TestMaxShare(t *testing.T) {
	for _, test := range []struct {
		endpoints, share, want int // ejected
	}{{10, 10, 1}, {10, 29, 2}, {10, 50, 5}, {10, 100, 9}, {3, 10, 1}, {2, 1, 1}, {1, 100, 0}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var addresses []string
				for i := range test.endpoints {
					addresses = append(addresses, fmt.Sprintf("a%d:1", i))
				}
				u := ejecting(t, func(o *EjectOptions) { o.MaxShare = test.share }, addresses...)
				for _, address := range addresses {
					tries(u, address, 5, outcomeBroken)
				}
				out, spared := 0, uint64(0)
				for _, e := range u.Endpoints() {
					if !e.Standing.Usable {
						out++
					}
					spared += e.Standing.Ejection.Spared
				}
				if out != test.want || spared != uint64(test.endpoints-test.want) {
					t.Errorf("%d are out and %d spared, want %d and the others", out, spared, test.want)
				}
			})
		})
	}
}

// An endpoint that was spared is ejected when there is room and it goes on to fail.
func TestSparedIsNotForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := ejecting(t, func(o *EjectOptions) { o.MaxShare = 10 }, "a:1", "b:1", "c:1")
		tries(u, "a:1", 5, outcomeBroken)
		tries(u, "b:1", 5, outcomeBroken)
		wantUsable(t, u, "b c")
		time.Sleep(33*time.Second + time.Millisecond)
		tries(u, "b:1", 5, outcomeBroken)
		wantUsable(t, u, "a c")
	})
}

func TestSuccessRate(t *testing.T) {
	for _, test := range []struct {
		name string
		bad  map[string]int // of 100 tries
		min  int
		want string
	}{
		{"one does badly", map[string]int{"a": 50}, 100, "b c d e f"},
		{"one does a little worse", map[string]int{"a": 3, "b": 2, "c": 4, "d": 3, "e": 1, "f": 2}, 100, "a b c d e f"},
		{"all do badly", map[string]int{"a": 60, "b": 60, "c": 60, "d": 60, "e": 60, "f": 60}, 100, "a b c d e f"},
		{"too few tries", map[string]int{"a": 100}, 101, "a b c d e f"},
		{"all is well", nil, 100, "a b c d e f"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := []string{"a", "b", "c", "d", "e", "f"}
				u := ejecting(t, func(o *EjectOptions) {
					o.ConsecutiveErrors, o.SuccessRate = 0, &RateOptions{Factor: 1.9, MinRequests: test.min, MinHosts: 5}
				}, "a:1", "b:1", "c:1", "d:1", "e:1", "f:1")
				for _, name := range names {
					tries(u, name+":1", test.bad[name], outcomeServer)
					tries(u, name+":1", 100-test.bad[name], outcomeAnswered)
				}
				wantUsable(t, u, "a b c d e f")
				time.Sleep(10 * time.Second)
				wantUsable(t, u, test.want)
				time.Sleep(34 * time.Second) // what was counted then is of no interest now
				wantUsable(t, u, "a b c d e f")
			})
		})
	}
}

func TestTooFewToCompare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := ejecting(t, func(o *EjectOptions) { o.SuccessRate = &RateOptions{Factor: 0.5, MinRequests: 10, MinHosts: 3} }, "a:1", "b:1")
		tries(u, "a:1", 100, outcomeServer)
		tries(u, "b:1", 100, outcomeAnswered)
		time.Sleep(time.Minute)
		wantUsable(t, u, "a b")
	})
}

func TestOutcome(t *testing.T) {
	late := &Send{Deadline: time.Now().Add(-time.Second), ClientsDeadline: true}
	past := &Send{Deadline: time.Now().Add(-time.Second)}
	for _, test := range []struct {
		name   string
		f      *fault.Fault
		status int
		send   *Send
		want   outcome
	}{
		{"200", nil, 200, &Send{}, outcomeAnswered},
		{"404", nil, 404, &Send{}, outcomeAnswered},
		{"500", nil, 500, &Send{}, outcomeServer},
		{"501", nil, 501, &Send{}, outcomeServer},
		{"502", nil, 502, &Send{}, outcomeGateway},
		{"503", nil, 503, &Send{}, outcomeGateway},
		{"504", nil, 504, &Send{}, outcomeGateway},
		{"505", nil, 505, &Send{}, outcomeServer},
		{"TLS", cannotConnect(handshakeError{io.EOF}), 0, &Send{}, outcomeConnect},
		{"the client has gone", fault.Wrap(fault.ClientGone, fault.Client, errGone), 0, &Send{}, outcomeNeutral},
		{"reset", fault.Wrap(fault.BadGateway, fault.Upstream, io.EOF), 0, &Send{}, outcomeBroken},
		{"late", fault.Wrap(fault.GatewayTimeout, fault.Upstream, errLate), 0, &Send{}, outcomeTimeout},
		{"late for the route", fault.Wrap(fault.GatewayTimeout, fault.Upstream, errLate), 0, past, outcomeTimeout},
		{"late for the client", fault.Wrap(fault.GatewayTimeout, fault.Upstream, errLate), 0, late, outcomeNeutral},
		{"our own refusal", fault.New(fault.Unavailable, fault.Upstream, "full"), 0, &Send{}, outcomeNeutral},
		{"a mistake of ours", fault.From(errors.New("oops")), 0, &Send{}, outcomeNeutral},
	} {
		if got := outcomeOf(test.f, test.status, test.send); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// The whole of it with real servers: one that answers 503, one that nobody listens on, one that hangs up.
func TestEjectionOverTheWire(t *testing.T) {
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer good.Close()
	busy := listen(t, always("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"))
	rude := listen(t, func(w *wire) { _, _ = w.request(); w.reset() })
	for _, test := range []struct{ name, address, counted string }{
		{"503", busy.address, "gateway"}, {"no connection", deadAddress(t), "connect"}, {"reset", rude.address, "broken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := group(test.address, good.Listener.Addr().String())
			o.Eject = plainEject()
			o.Eject.ConsecutiveErrors = 3
			u := open(t, o)
			failed := 0
			for range 20 {
				x := request("GET", "/")
				if f := u.Do(x, Send{}); f != nil || x.Resp.Status != 200 {
					failed++
				}
				x.Resp.Reset()
			}
			state := u.Endpoints()[0].Standing
			if failed != 3 || state.Ejection.Errors[test.counted] != 3 || !slices.Equal(state.Why, []string{"ejected"}) {
				t.Errorf("%d exchanges failed, and the endpoint's standing is %+v, %+v; want 3 and ejected", failed, state, state.Ejection)
			}
		})
	}
}

// fading is a Transport whose answers a test decides.
type fading struct{ fails atomic.Bool }

func (f *fading) RoundTrip(x *exchange.Exchange, e *Endpoint, _ Send) *fault.Fault {
	if f.fails.Load() && strings.HasPrefix(e.address, "a") {
		return fault.New(fault.BadGateway, fault.Upstream, "broken")
	}
	x.Resp.Status = 200
	e.Done()
	return nil
}

// Ejection costs an exchange no allocation.
func TestNoteAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	u := ejecting(t, func(o *EjectOptions) { o.SuccessRate = &RateOptions{Factor: 2, MinRequests: 10, MinHosts: 2} }, "a:1", "b:1")
	u.transport = &fading{}
	x := request("GET", "/")
	if n := testing.AllocsPerRun(100, func() {
		if f := u.Do(x, Send{}); f != nil {
			t.Fatal(f)
		}
	}); n != 0 {
		t.Errorf("%v allocations per exchange, want none", n)
	}
}
