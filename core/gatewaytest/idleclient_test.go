package gatewaytest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// runIdle opens connections, has each answered once, and keeps them.
func runIdle(kind, address string, count int) {
	for i := range count {
		path := "/"
		if i == count-1 {
			path = "/ready"
		}
		nc, err := openIdle(kind, address, path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "idle:", i, err)
			os.Exit(1)
		}
		defer nc.Close() // it is kept until the process is killed
	}
	select {}
}

func openIdle(kind, address, path string) (net.Conn, error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if kind == "tls" || kind == "h2" {
		protocol := map[string]string{"tls": "http/1.1", "h2": "h2"}[kind]
		nc = tls.Client(nc, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, NextProtos: []string{protocol}})
	}
	if kind == "h2" || kind == "h2c" {
		return nc, askHTTP2Once(nc, path)
	}
	if _, err := fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: a.example\r\n\r\n", path); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return nc, err
}

// askHTTP2Once sends a request and waits for its answer's end.
func askHTTP2Once(nc net.Conn, path string) error {
	if _, err := io.WriteString(nc, http2.ClientPreface); err != nil {
		return err
	}
	f := http2.NewFramer(nc, nc)
	if err := f.WriteSettings(); err != nil {
		return err
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", path}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}) // a Buffer takes all
	}
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		return err
	}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return err
		}
		if h := frame.Header(); h.StreamID == 1 && h.Flags.Has(http2.FlagDataEndStream) {
			return nil
		}
	}
}
