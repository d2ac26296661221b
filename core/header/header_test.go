package header

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fields(pairs ...string) *Fields {
	f := &Fields{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

func text(f *Fields) string {
	var b strings.Builder
	for _, field := range f.All() {
		b.WriteString(field.Name + "=" + field.Value + ";")
	}
	return b.String()
}

func TestChange(t *testing.T) {
	tests := []struct {
		name   string
		start  *Fields
		change func(*Fields)
		want   string
	}{
		{"add keeps order and case", fields("B", "1"), func(f *Fields) { f.Add("a", "2") }, "B=1;a=2;"},
		{"set a new one", fields("B", "1"), func(f *Fields) { f.Set("a", "2") }, "B=1;a=2;"},
		{"set in place of several", fields("A", "1", "b", "x", "a", "2", "A", "3"), func(f *Fields) { f.Set("a", "9") }, "a=9;b=x;"},
		{"remove all of a name", fields("A", "1", "b", "x", "a", "2"), func(f *Fields) { f.Remove("A") }, "b=x;"},
		{"remove what is not there", fields("A", "1"), func(f *Fields) { f.Remove("x") }, "A=1;"},
		{"keep", fields("A", "1", "b", "2", "c", "3"), func(f *Fields) { f.Keep(func(x Field) bool { return x.Name != "b" }) }, "A=1;c=3;"},
		{"reset", fields("A", "1"), func(f *Fields) { f.Reset() }, ""},
		{"copy over a longer list", fields("A", "1", "B", "2"), func(f *Fields) { f.CopyFrom(fields("c", "3")) }, "c=3;"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.change(test.start)
			if diff := cmp.Diff(test.want, text(test.start)); diff != "" {
				t.Errorf("want - got +:\n%s", diff)
			}
		})
	}
}

func TestRead(t *testing.T) {
	f := fields("Accept", "a", "ACCEPT", "b", "X", "")
	if value, ok := f.Get("accept"); value != "a" || !ok {
		t.Errorf("Get: got %q, %v, want the first", value, ok)
	}
	if _, ok := f.Get("Accep"); ok {
		t.Error("Get found a name by its beginning")
	}
	if value, ok := f.Get("x"); value != "" || !ok {
		t.Errorf("Get of an empty value: got %q, %v", value, ok)
	}
	if n := f.Count("accept"); n != 2 {
		t.Errorf("Count: got %d, want 2", n)
	}
	if f.Has("Y") || !f.Has("x") {
		t.Error("Has is wrong")
	}
}

func TestCopyIsApart(t *testing.T) {
	a := fields("A", "1")
	var b Fields
	b.CopyFrom(a)
	a.Set("A", "2")
	if got := b.Value("A"); got != "1" {
		t.Errorf("got %q, want 1", got)
	}
}

// What was removed must not be kept from the collector by the list's spare room.
func TestRemovedStringsAreLetGo(t *testing.T) {
	f := fields("A", "1", "B", "2", "C", "3")
	f.Remove("A")
	f.CopyFrom(fields("D", "4"))
	for _, field := range f.list[:cap(f.list)][1:] {
		if field != (Field{}) {
			t.Errorf("spare room still holds %v", field)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	f := fields("Host", "x", "Accept", "y", "Content-Type", "z", "X-A", "1", "X-B", "2")
	allocs := testing.AllocsPerRun(100, func() {
		f.Set("accept", "b")
		f.Remove("x-b")
		f.Add("X-B", "2")
		_ = f.Value("content-type")
	})
	if allocs != 0 {
		t.Errorf("got %v allocations, want 0", allocs)
	}
}

func BenchmarkGet(b *testing.B) {
	f := fields("Accept", "y", "User-Agent", "z", "Accept-Encoding", "gzip", "X-Forwarded-For", "1", "Content-Type", "2")
	b.ReportAllocs()
	for b.Loop() {
		_ = f.Value("content-type")
	}
}
