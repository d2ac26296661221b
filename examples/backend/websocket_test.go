package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// masked is a client's frame.
func masked(first byte, payload string) []byte {
	out := []byte{first}
	switch n := len(payload); {
	case n < 126:
		out = append(out, maskBit|byte(n))
	case n <= 0xFFFF:
		out = binary.BigEndian.AppendUint16(append(out, maskBit|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, maskBit|127), uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	out = append(out, mask[:]...)
	for i := range len(payload) {
		out = append(out, payload[i]^mask[i%4])
	}
	return out
}

// plain is a server's frame.
func plain(first byte, payload string) string {
	var b bytes.Buffer
	writeFrame(&b, frame{first: first, payload: []byte(payload)})
	return b.String()
}

func upgrade(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(start(t), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	// The key and its answer are the example of RFC 6455, section 1.3.
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := resp.Header.Get("Sec-Websocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; resp.StatusCode != 101 || got != want {
		t.Fatalf("got %d and %q, want 101 and %q", resp.StatusCode, got, want)
	}
	return conn, r
}

func TestWebSocketEchoes(t *testing.T) {
	conn, r := upgrade(t)
	for _, c := range []struct{ name, sent, want string }{
		{"text", string(masked(0x81, "hello")), plain(0x81, "hello")},
		{"empty", string(masked(0x82, "")), plain(0x82, "")},
		{"16 bits of length", string(masked(0x82, strings.Repeat("a", 60000))), plain(0x82, strings.Repeat("a", 60000))},
		{"64 bits of length", string(masked(0x82, strings.Repeat("b", 70000))), plain(0x82, strings.Repeat("b", 70000))},
		{"ping", string(masked(0x89, "are you there")), plain(0x8A, "are you there")},
		{"pong is not answered", string(masked(0x8A, "")) + string(masked(0x81, "next")), plain(0x81, "next")},
		{"close", string(masked(0x88, "\x03\xe8")), plain(0x88, "\x03\xe8")},
	} {
		if _, err := conn.Write([]byte(c.sent)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(c.want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != c.want {
			t.Fatalf("%s: got %.40q, %v; want %.40q", c.name, got, err, c.want)
		}
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after close: got %v, want EOF", err)
	}
}

func TestWebSocketRefusesFrames(t *testing.T) {
	for name, sent := range map[string]string{
		"unmasked": plain(0x81, "hello"),
		"too long": "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readFrame(bufio.NewReader(strings.NewReader(sent))); err != errFrame {
				t.Errorf("got %v, want errFrame", err)
			}
		})
	}
}
