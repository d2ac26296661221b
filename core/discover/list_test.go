package discover

import (
	"slices"
	"strings"
	"testing"
)

func TestReadLists(t *testing.T) {
	for _, c := range []struct {
		name, toml, json string // "" stands for none
		want             []Endpoint
		fault            string
	}{
		{"nothing", ``, ``, nil, "endpoints is missing"},
		{"nobody", `endpoints = []`, `[]`, []Endpoint{}, ""},
		{"nobody in an object", ``, `{"endpoints": []}`, []Endpoint{}, ""},
		{
			"addresses", `endpoints = ["10.0.0.1:080", "[::0:1]:80", "API.internal:80", "unix:/run/../run/a.sock"]`,
			`["10.0.0.1:080", "[::0:1]:80", "API.internal:80", "unix:/run/../run/a.sock"]`,
			at("10.0.0.1:80", "[::1]:80", "api.internal:80", "unix:/run/a.sock"), "",
		},
		{
			"tables", "[[endpoints]]\naddress = \"a:1\"\nweight = 7\nzone = \"west\"\npriority = 2\n[[endpoints]]\naddress = \"b:1\"",
			`{"endpoints": [{"address": "a:1", "weight": 7, "zone": "west", "priority": 2}, {"address": "b:1"}]}`,
			[]Endpoint{{"a:1", 7, "west", 2}, {"b:1", 1, "", 0}}, "",
		},
		{"mixed", `endpoints = ["a:1", { address = "b:1", weight = 2 }]`, `["a:1", {"address": "b:1", "weight": 2}]`, []Endpoint{{"a:1", 1, "", 0}, {"b:1", 2, "", 0}}, ""},
		{"half a table", "[[endpoints]]\naddress = \"a:1\"\n[[endpoints]]", `[{"address": "a:1"}, {}]`, nil, "endpoints[1]: address is missing"},
		{"half a text", `endpoints = ["a:1", "b`, `["a:1", "b`, nil, "no valid"},
		{"more behind", ``, `["a:1"] ["b:1"]`, nil, "more behind its end"},
		{"no list", `endpoints = "a:1"`, `{"endpoints": "a:1"}`, nil, "endpoints is no list"},
		{"nothing but a text", ``, `"a:1"`, nil, "want a list"},
		{"unknown key", "endpoints = []\nname = 1", `{"endpoints": [], "name": 1}`, nil, `unknown key "name"`},
		{"unknown key of one", `endpoints = [{ address = "a:1", wieght = 1 }]`, `[{"address": "a:1", "wieght": 1}]`, nil, "endpoints[0]: wieght: unknown key"},
		{"weight", `endpoints = [{ address = "a:1", weight = 0 }]`, `[{"address": "a:1", "weight": 0}]`, nil, "weight: want an integer from 1 to 1000"},
		{"half a weight", `endpoints = [{ address = "a:1", weight = 1.5 }]`, `[{"address": "a:1", "weight": 1.5}]`, nil, "weight: want an integer"},
		{"weight as text", `endpoints = [{ address = "a:1", weight = "1" }]`, `[{"address": "a:1", "weight": "1"}]`, nil, "weight: want an integer"},
		{"priority", `endpoints = [{ address = "a:1", priority = -1 }]`, `[{"address": "a:1", "priority": 16}]`, nil, "priority: want an integer from 0 to 15"},
		{"zone", `endpoints = [{ address = "a:1", zone = 1 }]`, `[{"address": "a:1", "zone": null}]`, nil, "zone: want a string"},
		{"no port", `endpoints = ["10.0.0.1"]`, `["10.0.0.1"]`, nil, "want host:port"},
		{"port 0", `endpoints = ["10.0.0.1:0"]`, `["10.0.0.1:0"]`, nil, "the port must be"},
		{"named port", `endpoints = ["10.0.0.1:http"]`, `["10.0.0.1:http"]`, nil, "the port must be"},
		{"no host", `endpoints = [":80"]`, `[":80"]`, nil, "neither an IP address nor a name"},
		{"URL", `endpoints = ["http://a:80"]`, `["http://a:80"]`, nil, "want host:port"},
		{"relative socket", `endpoints = ["unix:a.sock"]`, `["unix:a.sock"]`, nil, "absolute path"},
		{"no address", `endpoints = [1]`, `[null]`, nil, "want an address"},
		{"too deep", `endpoints = ` + strings.Repeat("[", 33), strings.Repeat("[", 20_000), nil, "e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.toml != "" {
				got, err := readTOML([]byte(c.toml))
				compare(t, "TOML", got, err, c.want, c.fault)
			}
			if c.json != "" {
				got, err := readJSON([]byte(c.json))
				compare(t, "JSON", got, err, c.want, c.fault)
			}
		})
	}
}

func compare(t *testing.T, kind string, got []Endpoint, err error, want []Endpoint, fault string) {
	t.Helper()
	switch {
	case fault == "" && err != nil:
		t.Errorf("%s: %v", kind, err)
	case fault != "" && (err == nil || !strings.Contains(err.Error(), fault)):
		t.Errorf("%s: got error %v, want %q", kind, err, fault)
	case !slices.Equal(got, want):
		t.Errorf("%s: got %v, want %v", kind, got, want)
	}
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{
		``:                                      0,
		`[[endpoints]]`:                         2,
		`a = [[], {b = []}]`:                    3,
		"a = [ # [[[\n]":                        1,
		"a = '[[[' # [[[":                       0,
		`a = "[[\"[["`:                          0,
		"a = \"\"\"[[\n\"[[\"\"\"\nb = []":      1,
		"a = '''[['''":                          0,
		"a = [\"\"\"\"x\"\"\"\"\", [[]]] #\"":   3,
		"a = \"[[\nb = [[]]":                    2,
		"]]]]]] [[":                             2,
		"a.b . \"c.d\".e = 1.5\nf = [1.5, 2.5]": 3,
		"[[a.b]]\n":                             3,
		"# " + strings.Repeat("[", 100) + "\n":  0,
	} {
		if got := depth(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func FuzzReadLists(f *testing.F) {
	f.Add([]byte(`endpoints = ["a:1", { address = "b:1", weight = 2, zone = "z", priority = 1 }]`))
	f.Add([]byte("[[endpoints]]\naddress = \"\"\"a:1\"\"\" # [\n[[endpoints]]\naddress = 'unix:/a'"))
	f.Add([]byte(`{"endpoints": ["[::1]:80", {"address": "b:1", "weight": 2}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func([]byte) ([]Endpoint, error){readTOML, readJSON} {
			list, err := read(data)
			if (err == nil) != (list != nil) {
				t.Errorf("got %v and %v", list, err)
			}
			for _, e := range list {
				if again, err := readAddress(e.Address); err != nil || again != e.Address {
					t.Errorf("%q becomes %q, %v", e.Address, again, err)
				}
				if e.Weight < 1 || e.Weight > maxWeight || e.Priority < 0 {
					t.Errorf("got %+v", e)
				}
			}
		}
	})
}
