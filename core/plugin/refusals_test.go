package plugin

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

func TestRefusalsAreRemembered(t *testing.T) {
	h, _ := newHost(t)
	wasm := bomb{types: 20_000}.build()
	_, first := h.Load("a", wasm, Limits{})
	if first == nil || !strings.Contains(first.Error(), "20002 types") {
		t.Fatalf("got %v", first)
	}
	_, again := h.Load("b", wasm, Limits{})
	if again == nil || errors.Unwrap(again) != errors.Unwrap(first) {
		t.Errorf("got %v, want the reason of %v", again, first)
	}
	if _, err := h.Load("a", bomb{}.build(), Limits{}); err != nil {
		t.Errorf("another module: %v", err)
	}
}

// What is refused for its memory may be loaded with more.
func TestRefusalsKnowTheLimits(t *testing.T) {
	h, _ := newHost(t)
	wasm := bomb{pages: 3}.build()
	for _, tt := range []struct {
		pages int64
		fits  bool
	}{{2, false}, {3, true}, {2, false}} {
		if _, err := h.Load("a", wasm, Limits{Memory: tt.pages * pageSize}); (err == nil) != tt.fits {
			t.Errorf("%d pages: got %v", tt.pages, err)
		}
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	for i := range uint64(10 * maxRefusals) {
		var a attempt
		binary.LittleEndian.PutUint64(a.sum[:sha256.Size], i)
		if err := r.note(a, errClosed); err != errClosed || r.of(a) != errClosed {
			t.Fatalf("%d: got %v, then %v", i, err, r.of(a))
		}
		if len(r.reasons) > maxRefusals {
			t.Fatalf("%d are remembered", len(r.reasons))
		}
	}
}

// A module with very many wrong imports is no reason to write megabytes of log.
func TestManyProblems(t *testing.T) {
	h, _ := newHost(t)
	one := append(append(sized([]byte("sallyport")), sized([]byte("no"))...), 0, 1)
	_, err := h.Load("a", bomb{imports: many(9999, one)}.build(), Limits{})
	if err == nil || !strings.HasSuffix(err.Error(), "\nand 9981 more") || len(err.Error()) > 5000 {
		t.Errorf("got %v", err)
	}
}
