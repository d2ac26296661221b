package route

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

func build(t testing.TB, patterns ...Pattern) *Table {
	t.Helper()
	table, err := Build(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func request(method, host, path, query string) *exchange.Exchange {
	x := &exchange.Exchange{}
	x.Req.Method, x.Req.Host, x.Req.Path, x.Req.Query = method, host, path, query
	return x
}

func text(s string) *string { return &s }

func TestMatch(t *testing.T) {
	table := build(t,
		Pattern{Name: "user", Path: "/users/:id"},
		Pattern{Name: "me", Path: "/users/me"},
		Pattern{Name: "posts", Path: "/users/:name/posts"},
		Pattern{Name: "files", Path: "/files/*rest"},
		Pattern{Name: "deep", Path: "/files/a/*rest"},
		Pattern{Name: "static among files", Path: "/files/a/b"},
		Pattern{Name: "api root", Path: "/api/*rest", Methods: []string{"GET"}},
		Pattern{Name: "api users", Path: "/api/users", Methods: []string{"POST"}},
		Pattern{Name: "prefixed", Path: "/v/user_:id/x"},
		Pattern{Name: "exact host", Host: "a.example.com", Path: "/users/:id"},
		Pattern{Name: "wide", Host: "*.example.com", Path: "/users/:id"},
		Pattern{Name: "narrow", Host: "*.b.example.com", Path: "/users/:id"},
		Pattern{Name: "beta", Path: "/users/:who", Headers: []Match{{"X-Beta", nil}}},
		Pattern{Name: "beta one", Path: "/users/:who", Headers: []Match{{"X-Beta", text("1")}}, Query: []Match{{"q", text("a b")}}},
		Pattern{Name: "two", Path: "/:a/:b/two"},
		Pattern{Name: "any two", Path: "/:a/*rest"},
	)
	names := strings.Split("user,me,posts,files,deep,static among files,api root,api users,prefixed,exact host,wide,narrow,beta,beta one,two,any two", ",")
	tests := []struct {
		method, host, path, query string
		fields                    []string
		want                      string // the route and its parameters, or the methods allowed
	}{
		{"GET", "", "/users/7", "", nil, "user id=7"},
		{"GET", "", "/users/me", "", nil, "me"},
		{"GET", "", "/users/7/posts", "", nil, "posts name=7"},
		{"GET", "", "/files/x/y", "", nil, "files rest=/x/y"},
		{"GET", "", "/files", "", nil, "files rest="},
		{"GET", "", "/files/", "", nil, "files rest=/"},
		{"GET", "", "/files/a/c", "", nil, "deep rest=/c"},
		{"GET", "", "/files/a", "", nil, "deep rest="},
		{"GET", "", "/files/a/b", "", nil, "static among files"},
		{"POST", "", "/api/users", "", nil, "api users"},
		{"HEAD", "", "/api/users", "", nil, "api root rest=/users"},
		{"DELETE", "", "/v/user_7/x", "", nil, "prefixed id=7"},
		{"GET", "a.example.com", "/users/1", "", nil, "exact host id=1"},
		{"GET", "a.example.com.:8080", "/users/1", "", nil, "exact host id=1"},
		{"GET", "x.example.com:1", "/users/1", "", nil, "wide id=1"},
		{"GET", "x.y.b.example.com", "/users/1", "", nil, "narrow id=1"},
		{"GET", "example.com", "/users/1", "", nil, "user id=1"},
		{"GET", "b.example.com", "/users/1", "", nil, "wide id=1"},
		{"GET", "x.b.example.com", "/users/1", "", nil, "narrow id=1"},
		{"GET", "xb.example.com", "/users/1", "", nil, "wide id=1"},
		{"GET", "xexample.com", "/users/1", "", nil, "user id=1"},
		{"GET", "a.example.com", "/users/me", "", nil, "exact host id=me"},
		{"GET", "a.example.com", "/files/q", "", nil, "files rest=/q"},
		{"GET", "[::1]:80", "/users/1", "", nil, "user id=1"},
		{"GET", "", "/users/1", "", []string{"x-beta", "0"}, "beta who=1"},
		{"GET", "", "/users/1", "x=y&q=a+b", []string{"x-beta", "1"}, "beta one who=1"},
		{"GET", "", "/users/1", "q=c", []string{"x-beta", "1"}, "beta who=1"},
		{"GET", "", "/q/r/two", "", nil, "two a=q b=r"},
		{"GET", "", "/q/r/s", "", nil, "any two a=q rest=/r/s"},
		{"GET", "", "/q", "", nil, "any two a=q rest="},
		{"GET", "", "/", "", nil, "none"},
		{"OPTIONS", "", "*", "", nil, "none"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.host+test.path, func(t *testing.T) {
			x := request(test.method, test.host, test.path, test.query)
			for i := 0; i < len(test.fields); i += 2 {
				x.Req.Fields.Add(test.fields[i], test.fields[i+1])
			}
			index, allow := table.Match(x)
			got := "none" + allow
			if index >= 0 {
				got = names[index]
				for _, p := range x.Params {
					got += " " + p.Name + "=" + p.Value
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAllow(t *testing.T) {
	table := build(t,
		Pattern{Path: "/x", Methods: []string{"PUT", "GET"}},
		Pattern{Path: "/:y", Methods: []string{"PATCH", "GET"}},
		Pattern{Path: "/:y", Methods: []string{"TRACE"}, Query: []Match{{"q", nil}}},
	)
	if index, allow := table.Match(request("DELETE", "", "/x", "")); index != -1 || allow != "GET, HEAD, PATCH, PUT" {
		t.Errorf("got %d, %q", index, allow)
	}
	if index, allow := table.Match(request("DELETE", "", "/x/y", "")); index != -1 || allow != "" {
		t.Errorf("got %d, %q", index, allow)
	}
}

func TestConflicts(t *testing.T) {
	_, err := Build([]Pattern{
		{Name: "a", Path: "/users/:id", Methods: []string{"GET", "PUT"}},
		{Name: "b", Path: "/users/:name", Methods: []string{"PUT", "GET"}},
		{Name: "c", Path: "users"},
		{Name: "d", Path: "/*rest/x"},
		{Name: "e", Path: "/:"},
		{Name: "f", Path: "/:a/:a"},
		{Name: "g", Path: "/x*y"},
		{Name: "h", Path: "/:a:b"},
		{Name: "i", Path: ""},
	})
	const want = `pattern 1: it matches the same requests as route "a"
pattern 2: a path must begin with "/"
pattern 3: a catch-all can only be the last segment
pattern 4: a parameter needs a name
pattern 5: the parameter a is there twice
pattern 6: a catch-all must be a whole segment
pattern 7: only one parameter is possible in a segment
pattern 8: a path must begin with "/"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestTooManyParameters(t *testing.T) {
	var path, request64 strings.Builder
	for i := range maxParams {
		fmt.Fprintf(&path, "/:p%d", i)
		request64.WriteString("/v")
	}
	table := build(t, Pattern{Path: path.String()})
	if index, _ := table.Match(request("GET", "", request64.String(), "")); index != 0 {
		t.Errorf("%d parameters: got %d, want 0", maxParams, index)
	}
	if _, err := Build([]Pattern{{Path: path.String() + "/:more"}}); err == nil {
		t.Errorf("%d parameters were taken", maxParams+1)
	}
}

// naive is the specification: try all patterns, take the first by precedence.
func naive(patterns []Pattern, path string) int {
	var hits []int
	shapes := make([]shape, len(patterns))
	for i, p := range patterns {
		shapes[i], _ = parse(p.Path)
		if matches(shapes[i].segments, strings.Split(path[1:], "/")) {
			hits = append(hits, i)
		}
	}
	if len(hits) == 0 {
		return -1
	}
	return slices.MinFunc(hits, func(a, b int) int {
		return cmp.Or(compareShapes(&shapes[a], &shapes[b]), cmp.Compare(a, b))
	})
}

func matches(pattern, path []string) bool {
	for i, segment := range pattern {
		if segment == "*" {
			return true
		}
		if i >= len(path) {
			return false
		}
		literal, wild := strings.CutSuffix(segment, ":")
		if wild && (!strings.HasPrefix(path[i], literal) || path[i] == literal) || !wild && path[i] != segment {
			return false
		}
	}
	return len(pattern) == len(path)
}

// FuzzMatch compares with the specification; no pattern may make it panic.
func FuzzMatch(f *testing.F) {
	f.Add("/users/:id\n/users/me\n/:a/*r\n/*all", "/users/me")
	f.Add("/a:x/b\n/ab/:y\n/:z/b\n/a:x/*r", "/ab/b")
	f.Add("/:a/\n/:a/*b\n/:a", "/x/")
	f.Add("/x/:a/:b/c\n/x/:a/y/*r\n/x/y/*r", "/x/y/y/c")
	f.Fuzz(func(t *testing.T, paths, path string) {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
			return
		}
		var patterns []Pattern
		for line := range strings.SplitSeq(paths, "\n") {
			if !strings.Contains(line, "//") { // a request's path never has empty segments inside
				patterns = append(patterns, Pattern{Path: line})
			}
		}
		table, err := Build(patterns)
		if err != nil {
			return
		}
		index, _ := table.Match(request("GET", "", path, ""))
		if want := naive(patterns, path); index != want {
			t.Errorf("got %d, want %d", index, want)
		}
	})
}

func TestRandomTables(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "ab", ":p", "a:p", "*"}
	for range 3000 {
		var patterns []Pattern
		seen := map[string]bool{}
		for range 1 + random.IntN(8) {
			path := ""
			for i := range 1 + random.IntN(4) {
				word := words[random.IntN(len(words))]
				if strings.HasSuffix(word, "p") {
					word += fmt.Sprint(i)
				}
				if word == "*" {
					path += "/*rest"
					break
				}
				path += "/" + word
			}
			if s, err := parse(path); err == nil && !seen[s.key()] {
				seen[s.key()] = true
				patterns = append(patterns, Pattern{Path: path})
			}
		}
		table := build(t, patterns...)
		for range 20 {
			path := ""
			for range 1 + random.IntN(4) {
				path += "/" + []string{"a", "b", "ab", "abc", "c"}[random.IntN(5)]
			}
			index, _ := table.Match(request("GET", "", path, ""))
			if want := naive(patterns, path); index != want {
				t.Fatalf("%s among %v: got %d, want %d", path, patterns, index, want)
			}
		}
	}
}

func manyRoutes(n int) []Pattern {
	var patterns []Pattern
	for i := range n {
		path := fmt.Sprintf("/service%d/items/:id", i)
		if i%3 == 0 {
			path = fmt.Sprintf("/service%d/status", i)
		}
		patterns = append(patterns, Pattern{Name: fmt.Sprint(i), Path: path, Methods: []string{"GET", "POST"}})
	}
	return append(patterns, Pattern{Name: "rest", Path: "/service4/*rest"})
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1000, 50_000} {
		table := build(b, manyRoutes(n)...)
		for _, path := range []string{"/service999/status", "/service500/items/42"} {
			b.Run(fmt.Sprintf("%d%s", n, path), func(b *testing.B) {
				x := request("GET", "api.example.com", path, "")
				b.ReportAllocs()
				for b.Loop() {
					if index, _ := table.Match(x); index < 0 {
						b.Fatal("no match")
					}
				}
			})
		}
	}
}

// A host of thousands of labels is what an attacker sends: its cost must not grow with its square.
func BenchmarkMatchManyLabels(b *testing.B) {
	patterns := []Pattern{{Host: "*.example.com", Path: "/x"}}
	for i := range 20 { // a map of a few keys does not hash
		patterns = append(patterns, Pattern{Host: fmt.Sprintf("*.%d.example.com", i), Path: "/y"})
	}
	table := build(b, patterns...)
	for _, labels := range []int{4, 16_000} {
		x := request("GET", strings.Repeat("a.", labels)+"example.com", "/x", "")
		b.Run(fmt.Sprint(labels), func(b *testing.B) {
			for b.Loop() {
				if index, _ := table.Match(x); index != 0 {
					b.Fatal("no match")
				}
			}
		})
	}
}

func TestMatchAllocatesParametersOnly(t *testing.T) {
	table := build(t, manyRoutes(100)...)
	for path, want := range map[string]float64{"/service99/status": 0, "/service50/items/7": 1, "/service4/a/b": 0} {
		x := request("GET", "api.example.com", path, "")
		table.Match(x)
		if got := testing.AllocsPerRun(200, func() { table.Match(x) }); got > want {
			t.Errorf("%s: got %v allocations, want %v", path, got, want)
		}
	}
}
