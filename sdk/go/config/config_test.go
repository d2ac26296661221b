package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

type user struct {
	name string
	keys []string
}

type settings struct {
	header string
	hide   bool
	limit  int
	users  []user
	off    bool
}

func (s *settings) member(key string, v *Value) error {
	switch key {
	case "header":
		return v.String(&s.header)
	case "hide":
		return v.Bool(&s.hide)
	case "limit":
		return v.Int(&s.limit, -10, 1000)
	case "users":
		return v.Array(s.user)
	case "mode":
		if v.IsBool() {
			return v.Bool(&s.off)
		}
		return v.String(&s.header)
	}
	return nil
}

func (s *settings) user(v *Value) error {
	var u user
	err := v.Object(func(key string, v *Value) error {
		switch key {
		case "name":
			if err := v.String(&u.name); err != nil {
				return err
			}
			if u.name == "" {
				return errors.New("must not be empty")
			}
		case "keys":
			return v.Strings(&u.keys)
		}
		return nil
	})
	s.users = append(s.users, u)
	return err
}

func TestRead(t *testing.T) {
	tests := []struct {
		name, json string
		want       settings
	}{
		{"empty", `{}`, settings{}},
		{"all", ` { "header" : "X" , "hide":true,"limit":-7, "users":[ {"name":"a","keys":["k","l"]} , {} ]} `,
			settings{header: "X", hide: true, limit: -7, users: []user{{"a", []string{"k", "l"}}, {}}}},
		{"empty lists", `{"users":[{"keys":[ ]}]}`, settings{users: []user{{}}}},
		{"either kind", `{"mode":true,"hide":false}`, settings{off: true}},
		{"escapes", `{"header":"\"\\\/\b\f\n\r\té\ud83d\ude00é\ud83dx"}`,
			settings{header: "\"\\/\b\f\n\r\té😀é\ufffdx"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got settings
			if err := Read([]byte(tt.json), got.member); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	const noJSON = "the configuration is not valid JSON"
	tests := []struct {
		name, json, want string
	}{
		{"unknown key", `{"hedaer":"X"}`, "/hedaer is not a known key"},
		{"unknown key below", `{"users":[{},{"nmae":1}]}`, "/users/1/nmae is not a known key"},
		{"escaped pointer", `{"a/b~c":1}`, "/a~1b~0c is not a known key"},
		{"own error", `{"users":[{"name":""}]}`, "/users/0/name must not be empty"},
		{"no string", `{"header":1}`, "/header must be a string"},
		{"no bool", `{"hide":"yes"}`, "/hide must be true or false"},
		{"no array", `{"users":{}}`, "/users must be an array"},
		{"no table", `{"users":[1]}`, "/users/0 must be a table"},
		{"no strings", `{"users":[{"keys":["a",null]}]}`, "/users/0/keys/1 must be a string"},
		{"too big", `{"limit":1001}`, "/limit must be an integer from -10 to 1000"},
		{"overflow", `{"limit":99999999999999999999}`, "/limit must be an integer from -10 to 1000"},
		{"fraction", `{"limit":1.5}`, "/limit must be an integer from -10 to 1000"},
		{"no integer", `{"limit":"5"}`, "/limit must be an integer from -10 to 1000"},
		{"top level", `[]`, "must be a table"},
		{"nothing", ``, "must be a table"},
		{"truncated", `{"header":"X`, "/header " + noJSON},
		{"rest", `{} {}`, noJSON},
		{"no comma", `{"hide":true "limit":1}`, noJSON},
		{"no colon", `{"hide" true}`, noJSON},
		{"bad escape", `{"header":"\x"}`, "/header " + noJSON},
		{"bad unicode escape", `{"header":"\u12g4"}`, "/header " + noJSON},
		{"control character", "{\"header\":\"a\nb\"}", "/header " + noJSON},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s settings
			err := Read([]byte(tt.json), s.member)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestErrorUnwrap(t *testing.T) {
	cause := errors.New("no")
	err := Read([]byte(`{"a":1}`), func(string, *Value) error { return cause })
	if !errors.Is(err, cause) {
		t.Errorf("%v does not wrap its cause", err)
	}
}

// FuzzRead compares with encoding/json: valid objects are read, and strings mean the same.
func FuzzRead(f *testing.F) {
	f.Add(`{"a":"x","b":[{"c":["\u00e9"]}]}`)
	f.Add(`{"a":"\ud83d\ude00\ud83d"} `)
	f.Add("{\"a\":\"\xff\",}")
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string]string{}
		err := Read([]byte(text), func(key string, v *Value) error {
			var s string
			err := v.String(&s)
			got[strings.ToValidUTF8(key, "\ufffd")] = strings.ToValidUTF8(s, "\ufffd")
			return err
		})
		var want map[string]string
		if wantErr := json.Unmarshal([]byte(text), &want); wantErr != nil || strings.Contains(text, "null") {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for key, value := range want {
			if strings.ContainsRune(key+value, '\ufffd') {
				continue // how many replacement characters there are is not of interest
			}
			if got[key] != value {
				t.Errorf("%q: %q = %q, want %q", text, key, got[key], value)
			}
		}
	})
}

func TestSkip(t *testing.T) {
	sub := func(raw string) (sub string, err error) {
		err = Read([]byte(raw), func(key string, v *Value) error {
			if key == "sub" {
				return v.String(&sub)
			}
			return v.Skip()
		})
		return sub, err
	}
	for _, claims := range []string{
		`{"sub":"jo"}`, `{"a":[],"b":{},"sub":"jo","c":[1,{"d":[null,"]"]}],"e":-1.5e3}`, `{"a":{"sub":"ann","b":{"c":true}},"sub":"jo"}`,
	} {
		if got, err := sub(claims); got != "jo" || err != nil {
			t.Errorf("%s: got %q, %v", claims, got, err)
		}
	}
	for _, claims := range []string{`{"a":}`, `{"a":[1}`, `{"a":{"b"}}`, `{"a":"b}`, `{"a":[,]}`, `{"a":1`} {
		if got, err := sub(claims); err == nil {
			t.Errorf("%s: got %q", claims, got)
		}
	}
}
