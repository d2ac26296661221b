package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What is taken over from the library, and counted, comes to what the library by itself comes to, whatever schema and document.
func FuzzAgainstTheLibrary(f *testing.F) {
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := random{rand.New(rand.NewPCG(seed, 0))}
		text := marshal(t, r.root())
		set, err := New([]Source{source(string(text)), {Name: "other", Text: `{"type":"string"}`, Draft: Draft202012, Limits: limits()}})
		if err != nil {
			if errors.Is(err.(Faults)["s"], errBroken) {
				t.Errorf("%s: %v", text, err)
			}
			return
		}
		library := alone(t, text)
		for range 20 {
			document := marshal(t, r.document(0))
			found, _, err := set.Schema("s").Check(document, plenty)
			if errors.Is(err, ErrTooLarge) {
				continue
			}
			if err != nil || found != "" && !json.Valid([]byte(found)) {
				t.Errorf("%s\n%s: %v, %s", text, document, err, found)
			}
			if want := library.Validate(parsed(t, document)); (found == "") != (want == nil) {
				t.Errorf("%s\n%s: got %s, want %v", text, document, found, want)
			}
		}
	})
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parsed(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// ignore removes "const" beside "$ref": before draft 2019-09 it does not count, but to the library it does.
func ignore(value any) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			ignore(element)
		}
	case map[string]any:
		if _, ok := v["$ref"].(string); ok {
			delete(v, "const")
		}
		for _, member := range v {
			ignore(member)
		}
	}
}

// alone compiles a schema with the library and nothing else.
func alone(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	root := parsed(t, text).(map[string]any)
	if draft, _ := root["$schema"].(string); strings.Contains(draft, "draft-0") {
		ignore(root)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(shelf{base + "other": map[string]any{"type": "string"}, base + "s": root})
	s, err := c.Compile(base + "s")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}
