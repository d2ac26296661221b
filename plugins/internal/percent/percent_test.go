package percent

import (
	"net/url"
	"testing"
)

func TestDecoded(t *testing.T) {
	for s, want := range map[string]string{"": "", "a+b": "a b", "%41%4a%4A": "AJJ", "%": "%", "%4": "%4", "%zz%20": "%zz ", "%%41": "%A", "ä%00": "ä\x00"} {
		if got := string(AppendDecoded(nil, s)); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestEncoded(t *testing.T) {
	for c := range 256 {
		s := string([]byte{byte(c)}) + "/"
		got := string(AppendEncoded(nil, s, true))
		if back, err := url.PathUnescape(got); err != nil || back != s {
			t.Errorf("%q: got %q, which is %q, %v", s, got, back, err)
		}
		if back := string(AppendDecoded(nil, AppendEncoded(nil, s, false))); back != s {
			t.Errorf("%q: decoded %q", s, back)
		}
	}
	if got := string(AppendEncoded(nil, "a-._~/é&", false)); got != "a-._~%2F%C3%A9%26" {
		t.Errorf("got %s", got)
	}
}
