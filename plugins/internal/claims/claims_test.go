package claims

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	tests := []struct {
		text, path, want string // "" for a claim that is not there, "!" for an error
	}{
		{`{"sub":"jo"}`, "sub", `"jo"`},
		{` { "a" : 1 , "sub" : "jo" , "b":[1,{"sub":2}] } `, "sub", `"jo"`},
		{`{"sub":7}`, "sub", `7`},
		{`{"sub":-1.5e3 }`, "sub", `-1.5e3`},
		{`{"sub":true,"a":1}`, "sub", `true`},
		{`{"sub":null}`, "sub", ``},
		{`{"sub":{"a":"}"},"x":1}`, "sub", `{"a":"}"}`},
		{`{"a":{"sub":"root"}}`, "sub", ``},
		{`{"a":"\",\"sub\":\"root"}`, "sub", ``},
		{`{"SUB":"jo"}`, "sub", ``},
		{`{"s\u0075b":"jo"}`, "sub", `"jo"`},
		{`{"sub":"jo","sub":"root"}`, "sub", `!`},
		{`{"sub":"jo","s\u0075b":"root"}`, "sub", `!`},
		{`{"a":1,"a":2,"sub":"jo"}`, "sub", `"jo"`},
		{`{"realm":{"roles":["a","b"]}}`, "/realm/roles", `["a","b"]`},
		{`{"realm":{"roles":1,"roles":2}}`, "/realm/roles", `!`},
		{`{"realm":{"roles":1},"realm":{"roles":2}}`, "/realm/roles", `!`},
		{`{"realm":{"roles":1},"realm":2}`, "/realm/roles", `1`},
		{`{"realm":"x"}`, "/realm/roles", ``},
		{`{"a/b":{"c~d":1}}`, "/a~1b/c~0d", `1`},
		{`{"https://x.test/roles":1}`, "https://x.test/roles", `1`},
		{`{}`, "sub", ``},
		{`{"a":{}}`, "/a/b", ``},
		{``, "sub", `!`},
		{`[]`, "sub", `!`},
		{`{"sub"`, "sub", `!`},
		{`{"sub":"jo`, "sub", `!`},
		{`{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"sub":"jo"}`, "sub", `!`},
	}
	for _, tt := range tests {
		var r Reader
		path, ok := ParsePath(tt.path)
		n := r.Want(path)
		if !ok || r.Want(path) != n {
			t.Fatalf("%q is no path, or another one each time", tt.path)
		}
		err := r.Read(tt.text)
		got, ok := r.Raw(n)
		if !ok {
			got = ""
		}
		if err != nil {
			got = "!"
		}
		if got != tt.want {
			t.Errorf("%.60s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestEach(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":["x", "y" ,3,[1],{"b":[2]}]}`: `"x";"y";3;[1];{"b":[2]};`, `{"a":"x"}`: `"x";`, `{"a":[]}`: ``, `{}`: ``, `{"a":[ 1 ]}`: `1;`,
	} {
		var r Reader
		n, got := r.Want(Path{"a"}), ""
		if err := r.Read(text); err != nil {
			t.Fatal(err)
		}
		if err := r.Each(n, func(raw string) bool { got += raw + ";"; return true }); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestReaderForgets(t *testing.T) {
	var r Reader
	n := r.Want(Path{"a"})
	_ = r.Read(`{"a":1}`)
	if err := r.Read(`{"b":1}`); err != nil {
		t.Fatal(err)
	}
	if raw, ok := r.Raw(n); ok {
		t.Errorf("%s is of the token before", raw)
	}
}

// FuzzRead compares with encoding/json on what it takes for an object without names that come twice.
func FuzzRead(f *testing.F) {
	for _, text := range []string{`{"sub":"jo"}`, `{"a":[1,{"sub":2}],"sub":"j\u006f\ud83d\ude00\n"}`, `{"sub":{"a":[]}, "b" : "\\"}`, `{"sub":1e5}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r Reader
		n := r.Want(Path{"sub"})
		err := r.Read(text)
		var want map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &want) != nil || strings.Count(text, "sub") > 1 || strings.Contains(text, `\u`) || strings.Contains(text, "null") {
			return // not to crash is enough
		}
		if err != nil {
			if strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
				return
			}
			t.Fatal(err)
		}
		raw, ok := r.Raw(n)
		if ok != (want["sub"] != nil) || raw != string(want["sub"]) {
			t.Fatalf("got %q, want %q", raw, want["sub"])
		}
		var text2 string
		if got, isText := Text(raw); isText && json.Unmarshal(want["sub"], &text2) == nil && got != strings.ToValidUTF8(text2, "?") && got == strings.ToValidUTF8(got, "?") {
			t.Fatalf("got %q, want %q", got, text2)
		}
	})
}
