package grpc_test

import (
	"bytes"
	"math"
	"net/url"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
	"github.com/sallyport/sallyport/core/header"
)

func TestDialectOf(t *testing.T) {
	tests := map[string]grpc.Dialect{
		"application/grpc":                      grpc.Native,
		"application/grpc+proto":                grpc.Native,
		"Application/GRPC+json; charset=utf-8":  grpc.Native,
		"application/grpc;x=y":                  grpc.Native,
		"application/grpc-web":                  grpc.Web,
		"application/grpc-web+proto":            grpc.Web,
		"application/grpc-web ; x=y":            grpc.Web,
		"application/grpc-web-text":             grpc.WebText,
		"application/grpc-web-text+proto":       grpc.WebText,
		"application/grpc-web-texture":          grpc.None,
		"application/grpc-webs":                 grpc.None,
		"application/grpcs":                     grpc.None,
		"application/grp":                       grpc.None,
		"":                                      grpc.None,
		"text/plain; x=\"application/grpc\"":    grpc.None,
		" application/grpc":                     grpc.None,
		"application/json, application/grpc":    grpc.None,
		"application/grpc-web-text-and-more+it": grpc.None,
	}
	for contentType, want := range tests {
		if got := grpc.DialectOf(contentType); got != want {
			t.Errorf("%q: got %d, want %d", contentType, got, want)
		}
	}
}

func TestTranslate(t *testing.T) {
	tests := []struct {
		contentType string
		from, to    grpc.Dialect
		want        string
	}{
		{"application/grpc-web+proto; a=b", grpc.Web, grpc.Native, "application/grpc+proto; a=b"},
		{"Application/Grpc", grpc.Native, grpc.Web, "application/grpc-web"},
	}
	for _, test := range tests {
		if got := grpc.Translate(test.contentType, test.from, test.to); got != test.want {
			t.Errorf("%q: got %q, want %q", test.contentType, got, test.want)
		}
	}
}

func TestCodes(t *testing.T) {
	statuses := map[int]grpc.Code{
		200: 2, 302: 2, 400: 13, 401: 16, 403: 7, 404: 12, 405: 12, 408: 4, 413: 8, 418: 2, 429: 8, 431: 8, 499: 1,
		500: 2, 501: 12, 502: 14, 503: 14, 504: 14,
	}
	for status, want := range statuses {
		if got := grpc.CodeOfStatus(status); got != want {
			t.Errorf("%d: got %s, want %s", status, got, want)
		}
	}
	faults := map[fault.Kind]grpc.Code{
		fault.Internal: 13, fault.BadRequest: 13, fault.NotFound: 12, fault.GatewayTimeout: 4, fault.RequestTimeout: 4,
		fault.BodyTooLarge: 8, fault.ClientGone: 1, fault.BadGateway: 14, fault.Unavailable: 14,
	}
	for kind, want := range faults {
		if got := grpc.CodeOfFault(kind); got != want {
			t.Errorf("%s: got %s, want %s", kind, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	tests := map[string]string{
		"":                  "",
		"plain, with ~!":    "plain, with ~!",
		"100%":              "100%25",
		"a\r\nb\x00\x7f":    "a%0D%0Ab%00%7F",
		"\t\ntest ☺ über\n": "%09%0Atest %E2%98%BA %C3%BCber%0A",
	}
	for text, want := range tests {
		got := string(grpc.AppendMessage(nil, text))
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if back, err := url.PathUnescape(got); back != text {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	}
}

func TestParseTimeout(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"1H", time.Hour, true}, {"2M", 2 * time.Minute, true}, {"3S", 3 * time.Second, true}, {"4m", 4 * time.Millisecond, true},
		{"5u", 5 * time.Microsecond, true}, {"6n", 6, true}, {"00000001S", time.Second, true}, {"0n", 0, true},
		{"99999999H", math.MaxInt64, true}, {"99999999S", 99999999 * time.Second, true},
		{"", 0, false}, {"S", 0, false}, {"1", 0, false}, {"100000000S", 0, false}, {"-1S", 0, false}, {"+1S", 0, false},
		{"1.5S", 0, false}, {"1s", 0, false}, {"1S ", 0, false}, {" 1S", 0, false}, {"0x1S", 0, false},
	}
	for _, test := range tests {
		got, ok := grpc.ParseTimeout(test.text)
		if got != test.want || ok != test.ok {
			t.Errorf("%q: got %v, %v, want %v, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func TestAppendTimeout(t *testing.T) {
	tests := map[time.Duration]string{
		-time.Second: "0n", 0: "0n", 1: "1n", 99_999_999: "99999999n", 100_000_000: "100000u", 100_000_999: "100000u",
		time.Minute: "60000000u", 2 * time.Minute: "120000m", 48 * time.Hour: "172800S", math.MaxInt64: "2562047H",
	}
	for timeout, want := range tests {
		if got := string(grpc.AppendTimeout(nil, timeout)); got != want {
			t.Errorf("%v: got %s, want %s", timeout, got, want)
		}
	}
}

// A timeout that is read and written never grows, and never loses more than the eighth digit says.
func FuzzTimeout(f *testing.F) {
	for _, seed := range []string{"1H", "99999999H", "123456u", "", "5", "12345678S", "0M"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		timeout, ok := grpc.ParseTimeout(text)
		if !ok {
			return
		}
		written := string(grpc.AppendTimeout(nil, timeout))
		again, ok := grpc.ParseTimeout(written)
		if !ok || again > timeout || timeout-again > timeout/10_000 {
			t.Errorf("%q is %v, written as %q, which is %v (%v)", text, timeout, written, again, ok)
		}
	})
}

func TestFrames(t *testing.T) {
	body := []byte("\x00\x00\x00\x00\x03abc" + "\x01\x00\x00\x00\x00" + "\x00\x00\x00\x01\x00" + string(make([]byte, 256)))
	between := map[int]bool{0: true, 8: true, 13: true, len(body): true}
	for _, piece := range []int{1, 2, 3, 7, 1000} {
		var frames grpc.Frames
		for at := 0; at < len(body); {
			n := min(piece, len(body)-at)
			frames.Skip(body[at : at+n])
			at += n
			if got := frames.Between(); got != between[at] {
				t.Errorf("pieces of %d, after %d: got %v", piece, at, got)
			}
		}
	}
}

// Where frames end does not depend on how the body was cut.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x03abc\x00\x00"), 3)
	f.Add([]byte("\x00\xff\xff\xff\xffabc"), 1)
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		var whole, pieces grpc.Frames
		whole.Skip(body)
		if cut < 0 || cut > len(body) {
			cut = len(body) / 2
		}
		pieces.Skip(body[:cut])
		pieces.Skip(body[cut:])
		if whole.Between() != pieces.Between() {
			t.Errorf("cut at %d: got %v, want %v", cut, pieces.Between(), whole.Between())
		}
	})
}

func TestAppendTrailers(t *testing.T) {
	got := grpc.AppendTrailers([]byte("x"), []header.Field{{Name: "Grpc-Status", Value: "5"}, {Name: "grpc-message", Value: "no%20such"}})
	want := []byte("x\x80\x00\x00\x00\x00grpc-status: 5\r\ngrpc-message: no%20such\r\n")
	want[5] = byte(len(want) - 6)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
