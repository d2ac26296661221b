package exchange

import (
	"errors"
	"io"
	"strings"
	"testing"
)

type source struct {
	io.Reader
	closed int
}

func (s *source) Close() error {
	s.closed++
	return nil
}

func TestBodyReadsHeldThenSource(t *testing.T) {
	src := &source{Reader: strings.NewReader("cdef")}
	b := Body{Length: 6, Held: []byte("ab"), Source: src}
	got, err := io.ReadAll(&b)
	if string(got) != "abcdef" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if b.Rewind() {
		t.Error("a body whose source was read cannot be rewound")
	}
	_ = b.Close()
	_ = b.Close()
	if src.closed != 1 {
		t.Errorf("the source was closed %d times", src.closed)
	}
}

func TestBodyWhole(t *testing.T) {
	tests := []struct {
		name  string
		body  Body
		whole bool
		empty bool
	}{
		{"nothing", Body{}, true, true},
		{"held", Body{Length: 2, Held: []byte("ab")}, true, false},
		{"held, with a source to close", Body{Length: 2, Held: []byte("ab"), Source: &source{}}, true, false},
		{"part held", Body{Length: 3, Held: []byte("ab"), Source: &source{}}, false, false},
		{"unknown length", Body{Length: Unknown, Source: &source{}}, false, false},
		{"unknown length, but all there", Body{Length: Unknown, Held: []byte("a")}, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.body.Whole(); got != test.whole {
				t.Errorf("Whole: got %v", got)
			}
			if got := test.body.Empty(); got != test.empty {
				t.Errorf("Empty: got %v", got)
			}
		})
	}
}

func TestBodyRewind(t *testing.T) {
	b := Body{Length: 3, Held: []byte("abc"), Source: &source{Reader: strings.NewReader("never")}}
	for range 2 {
		got, err := io.ReadAll(&b)
		if string(got) != "abc" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		if !b.Rewind() {
			t.Fatal("a whole body can be rewound")
		}
	}
}

func TestBodySetClosesTheOldOne(t *testing.T) {
	src := &source{Reader: strings.NewReader("old")}
	b := Body{Length: 3, Source: src}
	b.Set([]byte("new!"))
	got, err := io.ReadAll(&b)
	if string(got) != "new!" || err != nil || src.closed != 1 || b.Length != 4 {
		t.Errorf("got %q, %v, closed %d times, length %d", got, err, src.closed, b.Length)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }
func (broken) Close() error             { return nil }

func TestBodyErrorIsNotTheEnd(t *testing.T) {
	b := Body{Length: 5, Held: []byte("ab"), Source: broken{}}
	if _, err := io.ReadAll(&b); err == nil || err == io.EOF {
		t.Errorf("got %v, want the source's error", err)
	}
}

func TestTextNeverChanges(t *testing.T) {
	var text Text
	var made []string
	buf := make([]byte, 40)
	for i := range 5000 {
		for j := range buf {
			buf[j] = byte('a' + i%26)
		}
		made = append(made, text.Copy(buf[:i%41]))
	}
	for i, s := range made {
		if want := strings.Repeat(string(rune('a'+i%26)), i%41); s != want {
			t.Fatalf("string %d: got %q, want %q", i, s, want)
		}
	}
	large := make([]byte, textChunk)
	if s := text.Copy(large); len(s) != textChunk {
		t.Errorf("got %d bytes", len(s))
	}
}

func TestPoolGivesEmptyExchanges(t *testing.T) {
	var pool Pool
	x := pool.Get()
	src := &source{Reader: strings.NewReader("")}
	x.Req.Method, x.Req.Body.Source, x.Resp.Status = "GET", src, 200
	x.Req.Fields.Add("a", "b")
	x.SetAttr("k", "v")
	*x.State(3) = append(*x.State(3), 1, 2, 3)
	x.Params = append(x.Params, Param{"id", "1"})
	shard := x.Shard
	pool.Put(x)
	if src.closed != 1 {
		t.Errorf("Put closed the body %d times", src.closed)
	}
	if x.Req.Method != "" || x.Resp.Status != 0 || x.Req.Fields.Len() != 0 || len(x.Attrs()) != 0 || len(x.Params) != 0 || x.Shard != shard {
		t.Errorf("not empty: %+v", x)
	}
	if state := *x.State(3); len(state) != 0 {
		t.Errorf("state of an earlier exchange is there: %v", state)
	}
}

func TestNumbersAreNeverTheSame(t *testing.T) {
	var pool Pool
	seen := map[uint64]bool{}
	for range 3 {
		var lent []*Exchange
		for range 2000 {
			x := pool.Get()
			if x.Number == 0 || seen[x.Number] {
				t.Fatalf("number %d is zero or was there before", x.Number)
			}
			seen[x.Number] = true
			lent = append(lent, x)
		}
		for _, x := range lent {
			pool.Put(x)
		}
	}
}

func TestAttrs(t *testing.T) {
	var x Exchange
	x.SetAttr("a", "1")
	x.SetAttr("b", "2")
	saved := append([]Attr(nil), x.Attrs()...)
	x.SetAttr("a", "3")
	x.SetAttr("c", "4")
	if value, _ := x.Attr("a"); value != "3" {
		t.Errorf("got %q", value)
	}
	x.RestoreAttrs(saved)
	if value, _ := x.Attr("a"); value != "1" || len(x.Attrs()) != 2 {
		t.Errorf("got %v", x.Attrs())
	}
	if _, ok := x.Attr("c"); ok {
		t.Error("c was not there when the attributes were saved")
	}
}

func TestBodyHold(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	tests := []struct {
		name   string
		held   string
		rest   string
		length int64
		limit  int64
		want   error
	}{
		{"known length", "ab", "cdef", 6, 6, nil},
		{"unknown length", "ab", "cdef", Unknown, 6, nil},
		{"unknown length, nothing held", "", "cdef", Unknown, 6, nil},
		{"unknown length, empty", "", "", Unknown, 1, nil},
		{"long", "a", long, Unknown, 1 << 20, nil},
		{"long, exactly", "a", long, Unknown, 100_001, nil},
		{"known to be too large", "ab", "cdef", 6, 5, ErrTooLarge},
		{"found to be too large", "ab", "cdef", Unknown, 5, ErrTooLarge},
		{"long and too large", "ab", long, Unknown, 100_001, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &source{Reader: strings.NewReader(tt.rest)}
			b := Body{Length: tt.length, Held: []byte(tt.held), Source: src}
			if err := b.Hold(tt.limit); err != tt.want {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if string(b.Held) != tt.held+tt.rest || b.Length != int64(len(b.Held)) || !b.Whole() || src.closed != 1 {
				t.Errorf("got %d bytes of %d, closed %d times", len(b.Held), b.Length, src.closed)
			}
		})
	}
}

func TestBodyHoldFails(t *testing.T) {
	b := Body{Length: 5, Held: []byte("ab"), Source: broken{}}
	if err := b.Hold(10); err == nil || err == ErrTooLarge {
		t.Errorf("got %v, want the source's error", err)
	}
	b = Body{Length: 2, Held: []byte("ab"), Source: broken{}}
	if err := b.Hold(1); err != nil || b.Source == nil {
		t.Errorf("a whole body needs nothing: %v", err)
	}
}
