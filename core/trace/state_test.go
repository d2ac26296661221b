package trace

import (
	"fmt"
	"strings"
	"testing"
)

func members(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("bar%02d=%02d", i, i))
	}
	return strings.Join(list, ",")
}

func TestState(t *testing.T) {
	long := strings.Repeat("z", 256)
	var visible strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		if c != ',' && c != '=' {
			visible.WriteByte(c)
		}
	}
	tests := []struct {
		name   string
		fields []string
		want   bool
	}{
		{"one", []string{"foo=1"}, true},
		{"two", []string{"foo=1,bar=2"}, true},
		{"two fields", []string{"foo=1", "bar=2"}, true},
		{"an empty field", []string{"foo=1", ""}, true},
		{"empty members", []string{"foo=1,,,bar=2,"}, true},
		{"spaces around members", []string{"foo=1 \t , \t bar=2, \t baz=3"}, true},
		{"spaces at the ends", []string{" \t foo=1 \t "}, true},
		{"a key twice", []string{"foo=1,foo=2"}, true},
		{"tenant and system", []string{"fw529a3039@dt=FfffffeCgJUoMAAA"}, true},
		{"a tenant that begins with a digit", []string{"1a@b=1"}, true},
		{"every sign of a key", []string{"abcdefghijklmnopqrstuvwxyz0123456789_-*/=1"}, true},
		{"every sign of a value", []string{"a=" + strings.TrimLeft(visible.String(), " ")}, true},
		{"a value with space in front", []string{"a= b"}, true},
		{"key of 256", []string{long + "=1"}, true},
		{"key of 257", []string{long + "z=1"}, false},
		{"tenant of 241, system of 14", []string{long[:241] + "@" + long[:14] + "=1"}, true},
		{"tenant of 242", []string{long[:242] + "@v=1"}, false},
		{"system of 15", []string{"t@" + long[:15] + "=1"}, false},
		{"value of 256", []string{"a=" + long}, true},
		{"value of 257", []string{"a=" + long + "z"}, false},
		{"32 members", []string{members(32)}, true},
		{"33 members", []string{members(33)}, false},
		{"33 members in two fields", []string{members(32), "foo=1"}, false},
		{"capitals", []string{"FOO=1"}, false},
		{"a dot in a key", []string{"foo.bar=1"}, false},
		{"space behind a key", []string{"foo =1"}, false},
		{"a key that begins with a digit", []string{"1foo=1"}, false},
		{"no tenant", []string{"@foo=1"}, false},
		{"no system", []string{"foo@=1"}, false},
		{"two signs", []string{"foo@@bar=1"}, false},
		{"two systems", []string{"foo@bar@baz=1"}, false},
		{"a system that begins with a digit", []string{"foo@1=1"}, false},
		{"no value", []string{"foo="}, false},
		{"no key", []string{"=1"}, false},
		{"neither", []string{"foo"}, false},
		{"an equals sign in a value", []string{"foo=bar=baz"}, false},
		{"a control character", []string{"foo=a\x01b"}, false},
		{"beyond ASCII", []string{"foo=é"}, false},
		{"one bad of two", []string{"foo=1,b a r=2"}, false},
		{"a bad field of two", []string{"foo=1", "bar"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s State
			got := true
			for _, field := range tt.fields {
				got = got && s.Add(field)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if s.IsEmpty() {
				t.Error("it is empty")
			}
		})
	}
	var s State
	if !s.Add(" , ,") || !s.IsEmpty() {
		t.Error("members are found in a list of none")
	}
}

func FuzzState(f *testing.F) {
	f.Add("foo=1,t@s=2 3")
	f.Add(members(33))
	f.Fuzz(func(t *testing.T, value string) {
		var s State
		if !s.Add(value) {
			return
		}
		if s.members > maxMembers {
			t.Errorf("%d members", s.members)
		}
		for i := range len(value) {
			if c := value[i]; c > '~' || c < ' ' && c != '\t' {
				t.Errorf("%q passes", value)
			}
		}
		var again State
		if !again.Add(value+","+"") || again != s {
			t.Errorf("%q: %v, then %v", value, s, again)
		}
	})
}
