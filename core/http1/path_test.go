package http1_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

func TestCanonicalPath(t *testing.T) {
	tests := []struct{ path, want string }{ // want "": refused
		{"/", "/"}, {"/a/b", "/a/b"}, {"/a/b/", "/a/b/"}, {"//", "/"}, {"//a///b//", "/a/b/"},
		{"/.", "/"}, {"/./a", "/a"}, {"/a/.", "/a/"}, {"/a/./b", "/a/b"},
		{"/a/..", "/"}, {"/a/b/..", "/a/"}, {"/a/../b", "/b"}, {"/a//../b", "/b"},
		{"/a/%2e%2E/b", "/b"}, {"/a/.%2e/b", "/b"}, {"/%2e", "/"}, {"/a/%2e", "/a/"},
		{"/...", "/..."}, {"/.a", "/.a"}, {"/..a/", "/..a/"}, {"/a.", "/a."}, {"/a..", "/a.."},
		{"/%41%7e%2d", "/A~-"}, {"/%2f%5c%3b%23%3f", "/%2F%5C%3B%23%3F"}, {"/%2F", "/%2F"},
		{"/%2541", "/%2541"}, {"/%c3%a4", "/%C3%A4"}, {"/%20", "/%20"}, {"/%0d%0a", "/%0D%0A"},
		{"/a;b=c", "/a;b=c"}, {"/a@b:c!$&'()*+,=", "/a@b:c!$&'()*+,="},
		{"", ""}, {"a", ""}, {"*", ""}, {"/..", ""}, {"/../a", ""}, {"/a/../..", ""}, {"/%2e%2e", ""}, {"/a/../../b", ""},
		{"/%00", ""}, {"/%", ""}, {"/%4", ""}, {"/%zz", ""}, {"/%4g", ""},
		{"/a\x00", ""}, {"/a\n", ""}, {"/\xc3\xa4", ""}, {`/a\b`, ""}, {"/a#b", ""}, {"/a?b", ""}, {"/a b", ""}, {"/\x7f", ""},
		{"/./\\", ""},
		{"/..;/a", ""}, {"/a/..;b/c", ""}, {"/a/.;/b", ""}, {"/a/%2e.;x", ""}, {"/a/..;", ""}, {"/a/%2E;", ""},
		{"/a..;b/.a;c/...;", "/a..;b/.a;c/...;"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			got, ok := http1.CanonicalPath(tt.path)
			if ok != (tt.want != "") || ok && got != tt.want {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestRefusedPathsSayWhy(t *testing.T) {
	tests := []struct{ path, want string }{
		{"/a/%00", "path holds %00"}, {"/../%00", "path holds %00"},
		{"/..", "path leads above the root"}, {"/a/%2E%2e/../b", "path leads above the root"}, {"/a/../../%41", "path leads above the root"},
		{"/a/%2e.;x/b", "path holds a dot segment with parameters"},
		{"/%", "path holds a broken escape"}, {"/%4", "path holds a broken escape"}, {"/a%4g/..", "path holds a broken escape"},
		{`/a\b`, "path holds a character that must be escaped"}, {`/\\`, "path holds a character that must be escaped"},
	}
	for _, tt := range tests {
		var fields header.Fields
		_, f := http1.ParseRequest("GET "+tt.path+" HTTP/1.1\r\nHost: x\r\n\r\n", http1.Limits{}, &fields)
		if f == nil || f.Kind != fault.BadRequest || f.Reason != tt.want {
			t.Errorf("%s: got %v, want %s", tt.path, f, tt.want)
		}
	}
}

func TestCanonicalPathAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	got := testing.AllocsPerRun(100, func() {
		if _, ok := http1.CanonicalPath("/api/v1.2/.well-known/a%20b%2F/"); !ok {
			t.Fatal("refused")
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func FuzzCanonicalPath(f *testing.F) {
	for _, path := range []string{"/a/./b/../c//%7e%2F/", "/%2e%2e/", "/.%2E/x", "/%2541%", "/a/..", "//"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, ok := http1.CanonicalPath(path)
		if !ok {
			return
		}
		if again, ok := http1.CanonicalPath(got); !ok || again != got {
			t.Fatalf("%q gives %q, which gives %q, %v", path, got, again, ok)
		}
		for _, odd := range []string{"//", "/./", "/../", "/.;", "/..;", "%2e", "%2E", "%00", `\`, "#", "?", " "} {
			if strings.Contains(got, odd) {
				t.Errorf("%q gives %q, which holds %q", path, got, odd)
			}
		}
		if got[0] != '/' || strings.HasSuffix(got, "/.") || strings.HasSuffix(got, "/..") {
			t.Errorf("%q gives %q", path, got)
		}
		if strings.HasSuffix(path, "/") && !strings.HasSuffix(got, "/") {
			t.Errorf("%q gives %q without its slash", path, got)
		}
	})
}

func BenchmarkCanonicalPath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		http1.CanonicalPath("/api/orders/4711/items")
	}
}
