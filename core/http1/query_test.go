package http1

import (
	"testing"

	"github.com/sallyport/sallyport/core/header"
)

func TestCookie(t *testing.T) {
	tests := []struct {
		name   string
		fields []string
		want   string
		ok     bool
	}{
		{"none", nil, "", false},
		{"alone", []string{"id=a1"}, "a1", true},
		{"among others", []string{"x=1; id=a1; y=2"}, "a1", true},
		{"in the second field", []string{"x=1", "id=a1"}, "a1", true},
		{"the first of two", []string{"id=a1; id=b2"}, "a1", true},
		{"quoted", []string{`id="a1"`}, "a1", true},
		{"one quote", []string{`id="`}, `"`, true},
		{"empty", []string{"id="}, "", true},
		{"with an equals sign", []string{"id=a=b"}, "a=b", true},
		{"case matters", []string{"ID=a1"}, "", false},
		{"no value", []string{"id"}, "", false},
		{"end of another name", []string{"xid=a1"}, "", false},
		{"no space", []string{"x=1;id=a1"}, "a1", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var fields header.Fields
			for _, value := range test.fields {
				fields.Add("cookie", value)
			}
			if got, ok := Cookie(&fields, "id"); got != test.want || ok != test.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestQuery(t *testing.T) {
	tests := []struct {
		query, want string
		ok          bool
	}{
		{"", "", false}, {"a=1", "1", true}, {"b=1&a=2&a=3", "2", true}, {"%61=1", "1", true}, {"a=%20x", " x", true}, {"a", "", true},
		{"a=%zz&a=4", "4", true}, {"%zz=1", "", false}, {"aa=1", "", false}, {"a=x+y", "x y", true},
	}
	for _, test := range tests {
		if got, ok := Query(test.query, "a"); got != test.want || ok != test.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", test.query, got, ok, test.want, test.ok)
		}
	}
}
