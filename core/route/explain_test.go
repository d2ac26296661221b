package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

func TestExplain(t *testing.T) {
	table := build(t,
		Pattern{Name: "me", Path: "/users/me"},
		Pattern{Name: "user", Path: "/users/:id", Methods: []string{"GET"}},
		Pattern{Name: "beta", Path: "/users/:who", Headers: []Match{{"X-Beta", text("1")}}},
		Pattern{Name: "asked", Path: "/users/*rest", Query: []Match{{"q", nil}}},
		Pattern{Name: "other", Host: "a.example.com", Path: "/users/:id"},
		Pattern{Name: "far", Path: "/orders"},
		Pattern{Name: "all", Path: "/*rest"},
	)
	tests := []struct {
		name, method, host, path, query, beta string
		want, allow                           string
	}{
		{"chosen by path", "GET", "b", "/users/7", "", "", "user:matched beta:header[X-Beta] asked:query[q] all:precedence | me:path other:host far:path", ""},
		{"a value differs", "GET", "b", "/users/7", "q", "2", "user:matched beta:header[X-Beta] asked:precedence all:precedence | me:path other:host far:path", ""},
		{"the method", "POST", "b", "/users/7", "q", "1", "user:method beta:matched asked:precedence all:precedence | me:path other:host far:path", ""},
		{"static first", "PUT", "a.example.com", "/users/me", "", "", "other:matched me:precedence user:method beta:header[X-Beta] asked:query[q] all:precedence | far:path", ""},
	}
	names := []string{"me", "user", "beta", "asked", "other", "far", "all"}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := request(test.method, test.host, test.path, test.query)
			if test.beta != "" {
				x.Req.Fields.Add("X-Beta", test.beta)
			}
			e := table.Explain(x)
			got := ""
			describe := func(list []Reason) {
				for _, r := range list {
					got += names[r.Index] + ":" + r.Outcome.String()
					if r.Name != "" {
						got += "[" + r.Name + "]"
					}
					got += " "
				}
			}
			describe(e.Reached)
			got += "|"
			for _, r := range e.Others {
				got += " " + names[r.Index] + ":" + r.Outcome.String()
			}
			if got != test.want || e.Allow != test.allow {
				t.Errorf("got  %s %q\nwant %s %q", got, e.Allow, test.want, test.allow)
			}
		})
	}
}

// dice makes tables and requests out of few parts, so that many fit.
type dice struct{ *rand.Rand }

func (d dice) of(list ...string) string { return list[d.IntN(len(list))] }

func (d dice) patterns() []Pattern {
	var list []Pattern
	for range 1 + d.IntN(12) {
		p := Pattern{Name: fmt.Sprint(len(list)), Host: d.of("", "a.b.c", "*.b.c", "*.c", "b.c"), Path: d.of("/", "/x", "/x/y", "/:a", "/x/:b", "/:a/:b", "/*r", "/x/*r", "/x/y/*r", "/:a/*r", "/u_:a/y")}
		if d.IntN(3) == 0 {
			p.Methods = []string{d.of("GET", "PUT"), "POST"}
		}
		if d.IntN(4) == 0 {
			p.Headers = []Match{{"H", nil}}
		}
		if d.IntN(4) == 0 {
			p.Query = []Match{{"q", text(d.of("1", "2"))}}
		}
		if _, err := Build(append(slices.Clone(list), p)); err == nil {
			list = append(list, p)
		}
	}
	return list
}

func (d dice) request() *exchange.Exchange {
	x := request(d.of("GET", "HEAD", "PUT", "POST", "DELETE"), d.of("a.b.c", "z.b.c", "c", "b.c", "x.y.b.c:80", "q", ""), d.of("/", "/x", "/x/", "/x/y", "/x/y/z", "/u_1/y", "/x//", "*", "/q/r/s"), d.of("", "q=1", "q=2", "p"))
	if d.IntN(2) == 0 {
		x.Req.Fields.Add("h", "v")
	}
	return x
}

// compareExplained holds Explain to Match.
func compareExplained(t *testing.T, table *Table, patterns int, x *exchange.Exchange) {
	t.Helper()
	e := table.Explain(x)
	index, allow := table.Match(x)
	if e.Index != index || e.Allow != allow {
		t.Fatalf("%s %s %s: explained %d %q, matched %d %q", x.Req.Method, x.Req.Host, x.Req.Path, e.Index, e.Allow, index, allow)
	}
	if index >= 0 && !slices.Equal(e.Params, x.Params) {
		t.Errorf("explained %v, matched %v", e.Params, x.Params)
	}
	seen := map[int]bool{}
	chosen := 0
	for _, r := range append(slices.Clone(e.Reached), e.Others...) {
		if seen[r.Index] {
			t.Errorf("pattern %d is told of twice", r.Index)
		}
		seen[r.Index] = true
		if r.Outcome == Chosen {
			chosen++
		}
	}
	if len(seen) != patterns || (chosen == 1) != (index >= 0) || chosen > 1 {
		t.Errorf("%d of %d patterns are told of, %d as chosen, and %d matched", len(seen), patterns, chosen, index)
	}
	if index >= 0 {
		comparePrecedence(t, table, e)
	}
}

// comparePrecedence holds Order to the choice: what fits but was not chosen comes later.
func comparePrecedence(t *testing.T, table *Table, e *Explanation) {
	t.Helper()
	order := table.Order()
	for _, r := range e.Reached {
		if r.Outcome == Later && slices.Index(order, r.Index) < slices.Index(order, e.Index) {
			t.Errorf("%d goes before %d in %v, but the latter was chosen", r.Index, e.Index, order)
		}
	}
}

func TestExplainAgreesWithMatch(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(1, 2))}
	for range 2000 {
		patterns := d.patterns()
		table := build(t, patterns...)
		if order := table.Order(); len(order) != len(patterns) {
			t.Fatalf("%d patterns are in the order, %d in the table", len(order), len(patterns))
		}
		for range 10 {
			compareExplained(t, table, len(patterns), d.request())
		}
	}
}

func FuzzExplainAgreesWithMatch(f *testing.F) {
	f.Add(uint64(1), "GET", "a.b.c", "/x/y", "q=1")
	f.Add(uint64(7), "PUT", "z.b.c:80", "/u_/y", "")
	f.Fuzz(func(t *testing.T, seed uint64, method, host, path, query string) {
		d := dice{rand.New(rand.NewPCG(seed, 0))}
		patterns := d.patterns()
		compareExplained(t, build(t, patterns...), len(patterns), request(method, host, path, query))
	})
}
