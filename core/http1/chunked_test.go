package http1_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http/httputil"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// dechunk decodes src, handing at most piece bytes over and taking at most room bytes at a time.
func dechunk(src []byte, piece, room int) (body []byte, used int, fields []header.Field, done bool, err error) {
	var d http1.Dechunker
	var trailers header.Fields
	dst := make([]byte, room)
	for !done && err == nil && used < len(src) {
		var w, c int
		w, c, done, err = d.Decode(dst, src[used:min(used+piece, len(src))], &trailers)
		body = append(body, dst[:w]...)
		used += c
	}
	return body, used, trailers.All(), done, err
}

func TestDechunk(t *testing.T) {
	tests := []struct {
		name, src, want string
		rest            string
		trailers        []header.Field
	}{
		{"empty", "0\r\n\r\n", "", "", nil},
		{"one", "5\r\nhello\r\n0\r\n\r\n", "hello", "", nil},
		{"two, and the next head", "5\r\nhello\r\n006\r\n world\r\n00\r\n\r\nGET", "hello world", "GET", nil},
		{"extensions", "1;a=b\r\nx\r\n1; c\r\ny\r\n0;z=\"q q\"\r\n\r\n", "xy", "", nil},
		{"trailers", "0\r\nA: b\r\nC:d \r\n\r\n", "", "", fieldsOf("A", "b", "C", "d")},
		{"forbidden trailers", "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: x\r\nAuthorization: y\r\nClient-Cert: :eA==:\r\nclient_cert-Chain: :eA==:\r\nX_Forwarded_For: 1.2.3.4\r\nx-real_ip: 1.2.3.4\r\nContent_Length: 5\r\n" +
			"X-Forwarded-For: 1\r\nIf-Match: z\r\nGrpc-Status: 0\r\n\r\n", "", "", fieldsOf("Grpc-Status", "0")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{1, 2, 3, 1000} {
				body, used, trailers, done, err := dechunk([]byte(tt.src), piece, 1000)
				if err != nil || !done {
					t.Fatalf("pieces of %d: done %v, %v", piece, done, err)
				}
				if string(body) != tt.want || tt.src[used:] != tt.rest {
					t.Errorf("pieces of %d: got %q and %q, want %q and %q", piece, body, tt.src[used:], tt.want, tt.rest)
				}
				if len(trailers)+len(tt.trailers) > 0 && !reflect.DeepEqual(trailers, tt.trailers) {
					t.Errorf("pieces of %d: got %q, want %q", piece, trailers, tt.trailers)
				}
			}
		})
	}
}

func TestDechunkInPlace(t *testing.T) {
	buf := []byte("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nnext")
	var d http1.Dechunker
	w, c, done, err := d.Decode(buf, buf, nil)
	if err != nil || !done || string(buf[:w]) != "hello world" || string(buf[c:]) != "next" {
		t.Errorf("got %q, %q, %v, %v", buf[:w], buf[c:], done, err)
	}
}

func TestDechunkRefuses(t *testing.T) {
	tests := []struct{ name, src string }{
		{"no size", "\r\n"},
		{"plus", "+5\r\nhello\r\n0\r\n\r\n"},
		{"minus", "-5\r\n"},
		{"prefix", "0x5\r\nhello\r\n0\r\n\r\n"},
		{"underscore", "1_0\r\n"},
		{"space first", " 5\r\nhello\r\n"},
		{"space at the end", "5 \r\nhello\r\n"},
		{"space inside", "5 5\r\n"},
		{"space before an extension", "5 ;a\r\nhello\r\n"},
		{"bare LF behind the size", "5\nhello\r\n"},
		{"bare LF behind an extension", "5;a\nhello\r\n"},
		{"bare LF behind the content", "5\r\nhello\n0\r\n\r\n"},
		{"bare CR in an extension", "5;a\rb\r\nhello\r\n"},
		{"NUL in an extension", "5;a\x00\r\nhello\r\n"},
		{"content too long", "4\r\nhello\r\n0\r\n\r\n"},
		{"too many digits", "00000000000000001\r\nx\r\n"},
		{"overflow", "ffffffffffffffff\r\n"},
		{"overflow to a small size", "10000000000000005\r\nhello\r\n"},
		{"long extension", "1;" + strings.Repeat("a", 20000) + "\r\nx\r\n0\r\n\r\n"},
		{"many extensions", strings.Repeat("1;"+strings.Repeat("a", 100)+"\r\nx\r\n", 200) + "0\r\n\r\n"},
		{"bare LF behind a trailer", "0\r\nA: b\n\r\n"},
		{"bare LF at the end", "0\r\n\n"},
		{"folded trailer", "0\r\nA: b\r\n c\r\n\r\n"},
		{"trailer without colon", "0\r\nA\r\n\r\n"},
		{"trailer with space before colon", "0\r\nA : b\r\n\r\n"},
		{"many trailers", "0\r\n" + strings.Repeat("A: b\r\n", 65) + "\r\n"},
		{"large trailers", "0\r\nA: " + strings.Repeat("b", 9000) + "\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{1, 100000} {
				if body, _, _, done, err := dechunk([]byte(tt.src), piece, 100000); err == nil {
					t.Errorf("accepted %q, done %v", body, done)
				}
			}
		})
	}
}

func TestAppendChunk(t *testing.T) {
	var trailers header.Fields
	trailers.Add("A", "b")
	trailers.Add("Host", "x")
	trailers.Add("C", "d\r\nE: f")
	got := http1.AppendChunk(nil, []byte("0123456789abcdef0"))
	got = http1.AppendChunk(got, nil)
	got = http1.AppendLastChunk(got, &trailers)
	if want := "11\r\n0123456789abcdef0\r\n0\r\nA: b\r\n\r\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(http1.AppendLastChunk(nil, nil)); got != "0\r\n\r\n" {
		t.Errorf("got %q", got)
	}
}

func FuzzDechunk(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nA: b\r\n\r\nGET /"), uint8(3), uint8(2))
	f.Add([]byte("0\r\n\r\n"), uint8(1), uint8(1))
	f.Add([]byte("0001; x\r\na\r\n00\r\n\r\n"), uint8(1), uint8(9))
	f.Fuzz(func(t *testing.T, src []byte, piece, room uint8) {
		body, used, trailers, done, err := dechunk(src, len(src)+1, len(src)+1)
		body2, used2, trailers2, done2, err2 := dechunk(src, int(piece)+1, int(room)+1)
		if done != done2 || (err == nil) != (err2 == nil) || !bytes.Equal(body, body2) || used != used2 {
			t.Fatalf("at once %q, %d, %v, %v; in pieces %q, %d, %v, %v", body, used, done, err, body2, used2, done2, err2)
		}
		if len(trailers) != len(trailers2) {
			t.Errorf("at once %q, in pieces %q", trailers, trailers2)
		}
		if !done {
			return
		}
		want, err := io.ReadAll(httputil.NewChunkedReader(bufio.NewReader(bytes.NewReader(src))))
		if err != nil || !bytes.Equal(body, want) {
			t.Errorf("got %q, the reference says %q, %v", body, want, err)
		}
	})
}

func BenchmarkDechunk(b *testing.B) {
	src := http1.AppendLastChunk(http1.AppendChunk(nil, make([]byte, 4096)), nil)
	dst := make([]byte, len(src))
	var d http1.Dechunker
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		d.Reset()
		if _, _, done, err := d.Decode(dst, src, nil); !done || err != nil {
			b.Fatal(err)
		}
	}
}
