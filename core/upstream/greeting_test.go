package upstream

import (
	"bytes"
	"testing"

	"golang.org/x/net/http2"
)

// greet feeds p in pieces of that size and returns how many bytes the greeting took to be complete or wrong, 0 when it is neither.
func greet(p []byte, size int) (taken int, ok bool) {
	var g greeting
	for at := 0; at < len(p); at += size {
		end := min(at+size, len(p))
		complete, ok := g.take(p[at:end])
		if complete || !ok {
			return end, ok
		}
	}
	return 0, true
}

func TestGreeting(t *testing.T) {
	var settings, empty, ping bytes.Buffer
	_ = http2.NewFramer(&settings, nil).WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 10})
	_ = http2.NewFramer(&empty, nil).WriteSettings()
	_ = http2.NewFramer(&ping, nil).WritePing(false, [8]byte{})
	for _, test := range []struct {
		name  string
		p     string
		taken int
		ok    bool
	}{
		{"settings", settings.String() + "more", 15, true},
		{"empty", empty.String() + "more", 9, true},
		{"not all", settings.String()[:14], 0, true},
		{"another frame", ping.String(), 9, false},
		{"HTTP/1.1", "HTTP/1.1 400 Bad Request\r\n", 9, false},
		{"too long", "\x00\x50\x00\x04\x00\x00\x00\x00\x00", 9, false},
	} {
		if taken, ok := greet([]byte(test.p), 1); taken != test.taken || ok != test.ok {
			t.Errorf("%s: got %d, %v; want %d, %v", test.name, taken, ok, test.taken, test.ok)
		}
	}
}

// FuzzGreeting: how the bytes are cut into pieces does not matter.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte("\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x0a"), 2)
	f.Add([]byte("HTTP/1.1 200 OK\r\n"), 5)
	f.Add([]byte("\x00@\x06\x0400000000000"), 17)
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		if size <= 0 {
			return
		}
		taken, ok := greet(p, 1)
		inPieces, alsoOK := greet(p, size)
		if ok != alsoOK || (taken == 0) != (inPieces == 0) || inPieces < taken {
			t.Errorf("%q: byte by byte %d, %v; by %d: %d, %v", p, taken, ok, size, inPieces, alsoOK)
		}
	})
}
