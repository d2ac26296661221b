package schema

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// plenty is work enough for whatever is small.
const plenty = 75_000_000

func limits() Limits { return Limits{Size: 1 << 20, Depth: 64, Members: 100_000} }

func source(text string) Source {
	return Source{Name: "s", Text: text, Draft: Draft202012, AssertFormats: true, Limits: limits()}
}

func compile(t testing.TB, text string, others ...Source) *Schema {
	t.Helper()
	set, err := New(append(others, source(text)))
	if err != nil {
		t.Fatal(err)
	}
	return set.Schema("s")
}

// wrong is what a check has come to.
func wrong(s *Schema, document string) string {
	found, _, err := s.Check([]byte(document), plenty)
	if err != nil {
		return err.Error()
	}
	return found
}

func one(pointer, keyword, message string) string {
	return report([]finding{{pointer, keyword, message}})
}

func TestDocuments(t *testing.T) {
	s := compile(t, `true`)
	large := ErrTooLarge.Error()
	for _, tt := range []struct{ name, document, want string }{
		{"all kinds", " {\"a\":[1,-0,1.5e+3,true,false,null,\"\\u00e9\\ud83d\\ude00\\n\\u0000\"],\"\":{}} \n", ""},
		{"nothing", "", one("", "json", "is no JSON")},
		{"mark", "\ufeff{}", one("", "json", "is no JSON")},
		{"trailing data", "{} {}", one("", "json", "has something behind the end of the document")},
		{"trailing NUL", "{}\x00", one("", "json", "is no JSON")},
		{"NUL", "\x00", one("", "json", "is no JSON")},
		{"trailing comma", `{"a":[1,]}`, one("/a/1", "json", "is no JSON")},
		{"comma in an object", `{"a":1,}`, one("/a", "json", "is no JSON")},
		{"comment", `{/**/}`, one("", "json", "is no JSON")},
		{"single quotes", `{'a':1}`, one("", "json", "is no JSON")},
		{"leading zero", `[01]`, one("/0", "json", "is no JSON")},
		{"plus", `+1`, one("", "json", "is no JSON")},
		{"no fraction", `1.`, one("", "json", "is no JSON")},
		{"no exponent", `1e`, one("", "json", "is no JSON")},
		{"words", `nul`, one("", "json", "is no JSON")},
		{"more than a word", `nulll`, one("", "json", "has something behind the end of the document")},
		{"infinity", `[Infinity]`, one("/0", "json", "is no JSON")},
		{"open string", `"a`, one("", "json", "is no JSON")},
		{"open escape", `"a\`, one("", "json", "has an escape in a string that stands for nothing")},
		{"bad escape", `"\x"`, one("", "json", "has an escape in a string that stands for nothing")},
		{"half a pair", `"\ud83d"`, one("", "json", "has an escape in a string that stands for nothing")},
		{"half a pair and a letter", `"\ud83dx"`, one("", "json", "has an escape in a string that stands for nothing")},
		{"low half", `"\ude00"`, one("", "json", "has an escape in a string that stands for nothing")},
		{"control character", "\"a\nb\"", one("", "json", "has a control character in a string")},
		{"control character behind an escape", "\"\\n\x01\"", one("", "json", "has a control character in a string")},
		{"no UTF-8", "\"\xff\"", one("", "json", "is not UTF-8")},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", one("", "json", "is not UTF-8")},
		{"twice", `{"a":{"b":1,"b":1}}`, one("/a/b", "json", "is there twice")},
		{"twice, once escaped", `{"a":1,"\u0061":1}`, one("/a", "json", "is there twice")},
		{"deep enough", strings.Repeat("[", 64) + strings.Repeat("]", 64), ""},
		{"too deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), large},
		{"too deep, and open", strings.Repeat(`{"a":`, 100_000), large},
		{"too many elements", "[" + strings.Repeat("1,", 100_000) + "1]", large},
		{"too many bytes", strings.Repeat(" ", 1<<20+1), large},
		{"huge number", "1e400", ""},
		{"huge exponent", "1e1001", large},
		{"exponent beyond all", "-1E-99999999999999999999", large},
		{"many digits", strings.Repeat("9", 1000), ""},
		{"too many digits", "0." + strings.Repeat("9", 1000), large},
	} {
		if got := wrong(s, tt.document); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFindings(t *testing.T) {
	for _, tt := range []struct{ name, schema, document, want string }{
		{"type", `{"properties":{"a~/b":{"type":["string","null"]}}}`, `{"a~/b":1}`, one("/a~0~1b", "type", "must be null or string")},
		{"exact numbers", `{"maximum":9007199254740993}`, `9007199254740994`, one("", "maximum", "must be at most 9007199254740993")},
		{"equal numbers", `{"const":1.0}`, `10e-1`, ""},
		{"minus zero", `{"enum":[0]}`, `-0.0`, ""},
		{"huge number", `{"type":"integer","maximum":1e300}`, `1e400`, one("", "maximum", "must be at most 1"+strings.Repeat("0", 300))},
		{"fraction", `{"multipleOf":0.01}`, `0.015`, one("", "multipleOf", "must be a multiple of 0.01")},
		{"enum tells no values", `{"enum":["secret"]}`, `"other"`, one("", "enum", "must be one of the values that are allowed")},
		{"const", `{"const":{"a":[1]}}`, `{"a":[2]}`, one("", "const", "must be the one value that is allowed")},
		{"pattern tells no pattern", `{"pattern":"^secret"}`, `"other"`, one("", "pattern", "does not match the pattern")},
		{"format", `{"format":"ipv4"}`, `"1.2.3"`, one("", "format", `is not of the format "ipv4"`)},
		{"format of a number", `{"format":"ipv4"}`, `1`, ""},
		{"format that is not known", `{"format":"int32"}`, `"x"`, ""},
		{"unique", `{"uniqueItems":true}`, `[1,{"a":1,"b":2},{"b":2,"a":1.0}]`, one("", "uniqueItems", "must not have the same element twice")},
		{"required", `{"required":["b","a"]}`, `{}`, one("", "required", `must have "a", "b"`)},
		{"additional", `{"additionalProperties":false}`, `{"` + strings.Repeat("é", 40) + `":1}`, one("", "additionalProperties", `must not have "`+strings.Repeat("é", 32)+`"`)},
		{"alternatives", `{"anyOf":[{"type":"string"},{"properties":{"a":{"const":"secret"}}}]}`, `{"a":1}`, one("", "anyOf", "matches none of the alternatives")},
		{"false", `{"properties":{"a":false}}`, `{"a":1}`, one("/a", "false", "must not be there")},
		{"draft-07", `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"type":"string"}},"$ref":"#/definitions/a","maximum":1}`, `5`, one("", "type", "must be string")},
		{"meta-schema", `{"$ref":"https://json-schema.org/draft/2020-12/schema"}`, `{"minimum":"1"}`, one("/minimum", "type", "must be number")},
	} {
		if got := wrong(compile(t, tt.schema), tt.document); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestReportIsBounded(t *testing.T) {
	s := compile(t, `{"items":{"type":"string"},"additionalProperties":{"type":"string"}}`)
	for _, document := range []string{
		"[" + strings.Repeat("1,", 5000) + "1]",
		`{"` + strings.Repeat(`\u0001`, 300) + `":1,"` + strings.Repeat("a", 100_000) + `":1}`,
	} {
		if got := wrong(s, document); len(got) > MaxReport || !utf8.ValidString(got) || strings.Count(got, "pointer") > maxFindings || !strings.HasSuffix(got, "}]") {
			t.Errorf("got %d bytes: %.200s", len(got), got)
		}
	}
}

func TestReferences(t *testing.T) {
	others := []Source{
		{Name: "money", Text: `{"type":"string","pattern":"^[0-9]+$"}`, Limits: limits()},
		{Name: "own", Text: `{"$id":"https://example.com/own","$defs":{"a":{"$anchor":"a","type":"null"}}}`, Limits: limits()},
		{Name: "given", ID: "https://example.com/dir/given", Text: `{"$ref":"../own#a"}`, Limits: limits()},
	}
	s := compile(t, `{"properties":{"a":{"$ref":"money"},"b":{"$ref":"https://example.com/own#/$defs/a"},"c":{"$ref":"given"},"d":{"$ref":"https://example.com/dir/given"}}}`, others...)
	for _, document := range []string{`{"a":"x"}`, `{"b":1}`, `{"c":1}`, `{"d":1}`} {
		if got := wrong(s, document); got == "" {
			t.Errorf("%s is good", document)
		}
	}
	if got := wrong(s, `{"a":"5","b":null,"c":null,"d":null}`); got != "" {
		t.Error(got)
	}
}

func TestFaultySchemas(t *testing.T) {
	for _, tt := range []struct{ name, schema, want string }{
		{"no JSON", `{"a":}`, "at /a: is no JSON"},
		{"keyword twice", `{"type":"string","type":"null"}`, "at /type: is there twice"},
		{"not as the meta-schema says", `{"properties":{"a":{"type":"strin"}}}`, "at /properties/a/type: "},
		{"enum that is none", `{"enum":5}`, "at /enum: must be array (type)"},
		{"pattern", `{"properties":{"a":{"pattern":"(?=a)"}}}`, `at /properties/a/pattern: `},
		{"pattern of properties", `{"patternProperties":{"(a":{}}}`, "at /patternProperties"},
		{"remote reference", `{"$ref":"https://example.com/there.json#/a"}`, `refers to "https://example.com/there.json", which is no schema of this file: nothing is fetched`},
		{"file", `{"$ref":"file:///etc/passwd"}`, `refers to "file:///etc/passwd", which`},
		{"file beside it", `{"$ref":"../../../../etc/passwd"}`, `refers to "sallyport:///etc/passwd", which`},
		{"name of none", `{"$ref":"other"}`, `refers to "other", which`},
		{"pointer to nothing", `{"$ref":"#/$defs/a"}`, ""},
		{"meta-schema of its own that is not there", `{"$schema":"https://example.com/meta"}`, `refers to "https://example.com/meta", which`},
		{"taken", `{"$id":"https://json-schema.org/draft/2020-12/schema"}`, "the URI "},
		{"no object", `5`, "must be boolean or object (type)"},
	} {
		set, err := New([]Source{source(tt.schema)})
		var faults Faults
		if set != nil || !errors.As(err, &faults) || !strings.HasPrefix(faults["s"].Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	twice := source(`{"$id":"https://example.com/a"}`)
	other := twice
	other.Name = "t"
	if _, err := New([]Source{twice, other}); err == nil || err.Error() != `schema t: another schema has the URI "https://example.com/a" already` {
		t.Errorf("got %v", err)
	}
}

// What takes too much work ends before that is done, whatever it is that takes it.
func TestWorkIsBounded(t *testing.T) {
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	colliding := func(i int) string { // elements that the library's own hash takes for the same
		text := []string{"a"}
		for bit := range 16 {
			if i>>bit&1 == 0 {
				text = append(text, `","a`)
			} else {
				text = append(text, `\u0004a`)
			}
		}
		return `["` + strings.Join(text, "") + `"]`
	}
	branches := `{"type":"object","anyOf":[{"properties":{"a":{"$ref":"#"}},"required":["x"]},{"properties":{"a":{"$ref":"#"}},"required":["x"]}]}`
	for _, tt := range []struct {
		name, schema, document string
		large                  bool
	}{
		{"branches", branches, strings.Repeat(`{"a":`, 60) + "{}" + strings.Repeat("}", 60), true},
		{"branches of what is not looked into", `{"not":` + strings.ReplaceAll(strings.ReplaceAll(branches, `"#"`, `"#/not"`), `"required":["x"]`, `"not":{}`) + `}`, strings.Repeat(`{"a":`, 60) + "{}" + strings.Repeat("}", 60), true},
		{"dynamic branches", strings.ReplaceAll(strings.Replace(branches, `{`, `{"$dynamicAnchor":"n",`, 1), `"$ref":"#"`, `"$dynamicRef":"#n"`), strings.Repeat(`{"a":`, 60) + "{}" + strings.Repeat("}", 60), true},
		{"exponents", `{"items":{"multipleOf":0.01}}`, list(20_000, func(int) string { return "1e1000" }), true},
		{"one after the other", `{"uniqueItems":true}`, list(50_000, func(i int) string { return fmt.Sprint(i) }), false},
		{"colliding elements", `{"uniqueItems":true}`, list(8_000, colliding), false},
		{"many elements to look at", `{"items":{"allOf":[{"type":"number"},{"minimum":0},{"multipleOf":1}]}}`, list(90_000, func(i int) string { return fmt.Sprint(i) }), true},
		{"wrong elements", `{"items":{"type":"string"}}`, list(20_000, func(int) string { return "1" }), false},
		{"pattern", `{"pattern":"^(a{1,300}b?){1,3}$"}`, `"` + strings.Repeat("a", 1_000_000) + `"`, true},
		{"pattern of names", `{"patternProperties":{"^(a|b|c)*d":{},"e{900}":{}}}`, `{"` + strings.Repeat("a", 1_000_000) + `":1}`, true},
		{"meta-schema", `{"$ref":"https://json-schema.org/draft/2020-12/schema"}`, list(50_000, func(int) string { return "{}" }), true},
		{"meta-schema of draft-07", `{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"http://json-schema.org/draft-07/schema#"}`, list(50_000, func(int) string { return "{}" }), true},
		{"unevaluated", `{"$defs":{"n":{"unevaluatedProperties":false,"allOf":[{"properties":{"a":{"$ref":"#/$defs/n"}}}]}},"$ref":"#/$defs/n"}`,
			strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60), false},
	} {
		s := compile(t, tt.schema)
		_, work, err := s.Check([]byte(tt.document), plenty)
		if large := errors.Is(err, ErrTooLarge); large != tt.large || err != nil && !large || work > plenty {
			t.Errorf("%s: got %v after %d", tt.name, err, work)
		}
		if _, _, err := s.Check([]byte(`[]`), plenty); err != nil {
			t.Errorf("%s: the next document: %v", tt.name, err)
		}
	}
}

// Many at once have a copy each, or wait for one.
func TestManyAtOnce(t *testing.T) {
	s := compile(t, `{"type":"object","properties":{"n":{"type":"integer"}}}`)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for range 50 {
				document, want := `{"n":1}`, ""
				if i%2 == 0 {
					document, want = `{"n":"x"}`, one("/n", "type", "must be integer")
				}
				if got := wrong(s, document); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkCheck(b *testing.B) {
	s := compile(b, `{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"tags":{"type":"array","items":{"enum":["a","b"]}},"email":{"format":"email"}}}`)
	document := []byte(`{"id":12345,"tags":["a","b"],"email":"jo@example.com"}`)
	var work int64
	for b.Loop() {
		_, work, _ = s.Check(document, plenty)
	}
	b.ReportMetric(float64(work), "units")
}

func FuzzCheck(f *testing.F) {
	f.Add(`{"a":[1,"\u00e9",1e5,{"b":null}]}`)
	f.Add(`[[[1.5,-0,"x"]],{"a":1,"a":2}]`)
	s := compile(f, `{"uniqueItems":true,"type":["object","array","number"],"properties":{"a":{"$ref":"#"}},"items":{"anyOf":[{"$ref":"#"},{"format":"email"}]},"multipleOf":0.5,"enum":[1,2,[],{}]}`)
	f.Fuzz(func(t *testing.T, document string) {
		_, work, err := s.Check([]byte(document), 1_000_000)
		if err != nil && !errors.Is(err, ErrTooLarge) || work < 0 {
			t.Errorf("%q: %v, %d", document, err, work)
		}
	})
}
