package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/store"
)

// anyKeys is a key set that takes every token.
type anyKeys struct{}

func (anyKeys) Verify(string) (string, error) { return `{"sub":"jo"}`, nil }

// anyPassword is a set in which everybody's password is any.
type anyPassword struct{}

func (anyPassword) Known(string, string) (verdict error, known bool) { return nil, true }
func (anyPassword) Check(string, string) error                       { return nil }

// liarGrants grant everything, under the name that liars use.
func liarGrants(t testing.TB) Grants {
	// Its clock stands still: what a lie has put there would else be gone at the second look.
	kept, err := store.NewMemory(store.Options{Entries: 100, Bytes: store.MinBytes, Now: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	return Grants{
		Stores: map[string]Store{liarText: kept}, Limits: map[string]Limiter{liarText: &tenOf{}}, Keys: map[string]KeySet{liarText: anyKeys{}},
		Passwords: map[string]PasswordSet{liarText: anyPassword{}},
		Schemas:   map[string]Schema{liarText: fakeSchema{allowed: new(int64)}},
		Upstreams: map[string]Fetcher{liarText: answering(200, "ok")}, Secret: func(string) (string, bool) { return "hush", true },
	}
}

// liveThrough takes an exchange to where a phase is over.
func liveThrough(pool *Pool, x *exchange.Exchange, phase abi.Phases) error {
	f := pool.Filter("test", chain.Deny)
	if _, err := f.Request(x, 0); err != nil || phase == abi.InRequest {
		return err
	}
	if _, err := io.Copy(io.Discard, &x.Req.Body); err != nil || phase == abi.InRequestChunk {
		return err
	}
	x.Resp.Status = 200
	x.Resp.Body = bodyOf("answer", exchange.Unknown)
	if err := f.Response(x, 0); err != nil || phase == abi.InResponse {
		return err
	}
	if _, err := io.Copy(io.Discard, &x.Resp.Body); err != nil || phase == abi.InResponseChunk {
		return err
	}
	f.(chain.Ender).End(x, 0)
	return nil
}

// picture is all that a plugin can have changed of an exchange.
func picture(x *exchange.Exchange) string {
	return fmt.Sprintf("%q", []any{x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query, x.Req.Fields.All(), x.Req.Body.Held, x.Resp.Status, x.Resp.Fields.All(),
		x.Resp.Body.Held, x.Attrs(), *x.State(0)})
}

// hostPicture is all that the host keeps of what a plugin handed to it.
func hostPicture(x *exchange.Exchange, pool *Pool) string {
	value, found, _ := pool.grants.Stores[liarText].Get(liarText)
	return picture(x) + fmt.Sprint(pool.plugin.Metrics(), value, found)
}

// told is how one lie ended.
type told struct {
	answer int64
	err    error
}

// tell has a liar lie, and looks whether the host keeps anything that lies in the liar's memory.
func tell(t *testing.T, p *Plugin, g Grants, phase abi.Phases, l lie) told {
	pool, err := p.Configure(liarConfig(phase, l.args, []byte(liarText)), g)
	if err != nil {
		return told{err: err}
	}
	defer pool.Close()
	x := newExchange()
	defer exchanges.Put(x)
	x.Req.Body = exchange.Body{Length: 7, Held: []byte("content")}
	before := picture(x)
	if phase != abi.InConfigure {
		err = liveThrough(pool, x, phase)
	}
	if err == nil && len(pool.idle) == 0 { // on_end has nobody to tell of its failure
		return told{err: &Failure{Export: abi.ExportEnd, Cause: failedFor(pool), Err: errors.New("pointer outside the memory")}}
	}
	if err != nil {
		if after := picture(x); phase == abi.InRequest && after != before {
			t.Errorf("%s: left behind\n%s of\n%s", l.what, after, before)
		}
		return told{err: err}
	}
	memory := pool.idle[0].mod.Memory()
	answer, _ := memory.ReadUint64Le(liarResult)
	after := hostPicture(x, pool)
	memory.Write(0, bytes.Repeat([]byte{0xaa}, liarMemory))
	if scribbled := hostPicture(x, pool); scribbled != after {
		t.Errorf("%s: the host kept what is the guest's\n%s became\n%s", l.what, after, scribbled)
	}
	return told{answer: int64(answer)}
}

func failedFor(pool *Pool) Cause {
	stats := pool.Stats()
	for cause := range Cause(causes) {
		if stats.Failed(cause) > 0 {
			return cause
		}
	}
	return Bug
}

// judge says what is wrong with the end of a lie.
func (l lie) judge(f abi.Function, phase abi.Phases, end told) error {
	outsideTrap := false
	var failure *Failure
	if errors.As(end.err, &failure) {
		outsideTrap = failure.Cause == Trap && strings.Contains(failure.Error()+failure.Err.Error(), "pointer outside the memory")
	}
	switch {
	case f.Phases&phase != 0 && l.outside:
		if !outsideTrap {
			return fmt.Errorf("got %d, %v, want a trap", end.answer, end.err)
		}
		return nil
	case end.err != nil:
		return end.err
	case f.Phases&phase == 0 && end.answer != int64(abi.WrongPhase):
		return fmt.Errorf("got %d, want %d", end.answer, abi.WrongPhase)
	case f.Phases&phase != 0 && l.allowed != nil && !l.allowed(end.answer):
		return fmt.Errorf("got %d", end.answer)
	case end.answer < int64(abi.Cancelled) && f.Name != "exchange":
		return fmt.Errorf("got %d, which is no code", end.answer)
	}
	return nil
}

// Every host function, in every phase, is told every lie about every argument: the answer is the designed one, nothing of the guest's memory is
// kept, and nobody else notices.
func TestLies(t *testing.T) {
	h, _ := newHost(t)
	grants := liarGrants(t)
	bystander := configure(t, load(t, h, "bare", Limits{}), nil)
	whole := bystander.idle[0].mod.Memory()
	view, _ := whole.Read(0, whole.Size())
	for i := range view {
		view[i] = byte(i * 7)
	}
	before := bytes.Clone(view)
	count := 0
	for _, f := range abi.Functions() {
		p, err := h.Load("liar", liarOf(abi.Module, f.Name, f.Signature), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, phase := range abi.AllPhases() {
			for _, l := range liesOf(f, phase.Phase) {
				count++
				if err := l.judge(f, phase.Phase, tell(t, p, grants, phase.Phase, l)); err != nil {
					t.Errorf("%s in %s, %s: %v", f.Name, phase.Name, l.what, err)
				}
			}
		}
		if p.fleet.total != 0 {
			t.Errorf("%s: %d instances left", f.Name, p.fleet.total)
		}
		p.Close()
		if !bytes.Equal(view, before) {
			t.Fatalf("%s: another instance's memory has changed", f.Name)
		}
	}
	t.Logf("%d lies", count)
}

// Functions of WASI have no phases and no fixed answers; what they are told breaks nothing.
func TestLiesToWASI(t *testing.T) {
	h, _ := newHost(t)
	grants := liarGrants(t)
	odd := []uint64{0, 1, liarTexts, liarMemory - 4, liarMemory, math.MaxUint64}
	for _, f := range wasiFunctions() {
		p, err := h.Load("liar", liarOf(wasiModule, f.name, f.signature), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, most := range odd { // one argument differs from the others
			for i := range f.signature.Params {
				for _, one := range odd {
					args := slices.Repeat([]uint64{most}, len(f.signature.Params))
					args[i] = one
					end := tell(t, p, grants, abi.InRequest, lie{what: fmt.Sprintf("%s%v", f.name, args), args: args})
					var failure *Failure
					if end.err != nil && (!errors.As(end.err, &failure) || failure.Cause != Trap && failure.Cause != Exited) || end.answer < 0 || end.answer > 76 {
						t.Errorf("%s%v: got %d, %v", f.name, args, end.answer, end.err)
					}
				}
			}
		}
		p.Close()
	}
}
