package sha256

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSum(t *testing.T) {
	text := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 8)
	for n := range len(text) {
		if got, want := Sum(text[:n]), sha256.Sum256([]byte(text[:n])); got != want {
			t.Fatalf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{"a", "b", "what?", "\xff\xfe"} {
		want := Sum(text)
		for _, encoded := range []string{
			hex.EncodeToString(want[:]), strings.ToUpper(hex.EncodeToString(want[:])), base64.StdEncoding.EncodeToString(want[:]),
			base64.RawStdEncoding.EncodeToString(want[:]), base64.URLEncoding.EncodeToString(want[:]), base64.RawURLEncoding.EncodeToString(want[:]),
		} {
			if got, ok := Parse(encoded); !ok || !got.Equal(&want) {
				t.Errorf("%s: got %x, %v", encoded, got, ok)
			}
		}
	}
	zeros := strings.Repeat("0", 64)
	for _, text := range []string{"", "abcd", zeros[1:], zeros + "0", "g" + zeros[1:], strings.Repeat("A", 42) + "B", strings.Repeat("A", 43) + "==",
		strings.Repeat("A", 44), strings.Repeat("A", 42) + "=", strings.Repeat("A", 42) + "é"} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q: got %x", text, got)
		}
	}
}

// Digests that differ in any one bit are not equal.
func TestEqual(t *testing.T) {
	a := Sum("a")
	for bit := range 8 * len(a) {
		b := a
		b[bit/8] ^= 1 << (bit % 8)
		if a.Equal(&b) {
			t.Errorf("bit %d makes no difference", bit)
		}
	}
}
