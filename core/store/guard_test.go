package store

import "testing"

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		text string
		ends int64
		ok   bool
	}{
		{"+OK\r\n:1\r\n-ERR no\r\n_\r\n#t\r\n,1.5\r\n", 6, true},
		{"$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n", 5, true},
		{"*2\r\n*2\r\n:1\r\n$1\r\nx\r\n%1\r\n+a\r\n~1\r\n:2\r\n", 1, true},
		{"*2\r\n:1\r\n", 0, true},
		{"$5\r\nabc", 0, true},
		{">1\r\n+a\r\n", 0, false},
		{"|1\r\n+a\r\n+b\r\n:1\r\n", 0, false},
		{"$?\r\n", 0, false},
		{"*-2\r\n", 0, false},
		{"*65537\r\n", 0, false},
		{"+no return\n", 0, false},
		{"\r\n", 0, false},
	} {
		var f framing
		ends, err := f.scan([]byte(c.text))
		if ends != c.ends || (err == nil) != c.ok {
			t.Errorf("%q: got %d, %v", c.text, ends, err)
		}
	}
}

// It is the same however a stream is cut.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\na\r\n\r\n%1\r\n+a\r\n:2\r\n+OK\r\n"), 3)
	f.Add([]byte("$-1\r\n*0\r\n*1\r\n*1\r\n_\r\n"), 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		var whole, parts framing
		want, wantErr := whole.scan(stream)
		var got int64
		var gotErr error
		for size = max(size, 1); len(stream) > 0 && gotErr == nil; {
			n := min(size, len(stream))
			var ends int64
			ends, gotErr = parts.scan(stream[:n])
			got += ends
			stream = stream[n:]
		}
		if got != want || (gotErr == nil) != (wantErr == nil) {
			t.Errorf("whole: %d, %v; in parts: %d, %v", want, wantErr, got, gotErr)
		}
	})
}
