package plugin

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// oddNumbers stand for the bytes from 128 on: what is likely to be wrong as a pointer, a length, a handle.
var oddNumbers = [...]uint32{
	0xffffffff, 0x80000000, 0x7fffffff, probeMemory, probeMemory - 1, probeMemory - 64, probeScript, probeBuffers,
	0, 16, 200, 204, 256, 257, 599, 4096, 4097, 16 << 10, 64 << 10, 1 << 20,
}

// scriptOf makes a script for the probe of arbitrary bytes: ten for each step of the request hook, some text behind. An odd first byte has the
// response hook do the same.
func scriptOf(data []byte) []byte {
	const most, stepBytes = 64, 10
	functions := len(abi.Functions()) + 1 // and a trap
	n := min(len(data)/stepBytes, most)
	words := make([]uint32, 16+stepWords*n)
	words[0], words[5] = uint32(abi.HookRequest), uint32(n)
	if len(data) > 0 && data[0]&1 != 0 {
		words[0], words[5], words[8] = uint32(abi.HookResponse|abi.HookResponseBody), 0, uint32(n)
	}
	for i := range n {
		step := data[stepBytes*i : stepBytes*(i+1)]
		words[16+stepWords*i] = uint32(int(step[0]) % functions)
		for k, b := range step[1:] {
			words[17+stepWords*i+k] = uint32(b)
			if b >= 128 {
				words[17+stepWords*i+k] = oddNumbers[int(b)%len(oddNumbers)]
			}
		}
	}
	var blob []byte
	for _, word := range words {
		blob = binary.LittleEndian.AppendUint32(blob, word)
	}
	return append(blob, data...)
}

// FuzzHostCalls calls host functions with arbitrary arguments: nothing breaks, and a failed hook leaves nothing behind.
func FuzzHostCalls(f *testing.F) {
	f.Add([]byte("\x0b\x00\x80\x04\x80\x05\x00\x00\x00\x00\x11\xc8\x80\x04\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x80\x81\x82\x83\x84\x00\x00\x00\x00\x0a\x00\x00\x00\x87\x93\x00\x00\x00\x00\x22\x00\x00\x00\x00\x00\x00\x00\x00\x00 /path?query"))
	for _, step := range []struct {
		function string
		args     string // \x92 is the script's address, where bytes are
	}{
		{"kv_set", "\x00\x00\x92\x05\x92\x08\x00"},
		{"kv_add", "\x00\x00\x92\x05\x01\x00\x00\x93"},
		{"kv_get", "\x00\x00\x92\x05\x93\x40"},
		{"kv_swap", "\x00\x00\x92\x05\x92\x80\x92\x04\x00"},
		{"rate_take", "\x92\x05\x92\x05\x01"},
		{"metric_add", "\x92\x05\x00\x00\x01\x00"},
		{"metric_observe", "\x92\x05\x92\x0c\x01\x00"},
	} {
		f.Add(append([]byte{byte(functionNumber(f, step.function))}, (step.args + "\x00\x00\x00\x00\x00\x00\x00\x00")[:9]...))
	}
	h, _ := newHost(f)
	p := load(f, h, "probe", Limits{})
	grants := newGrants(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		pool, err := p.Configure(scriptOf(data), grants)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		x := newExchange()
		defer exchanges.Put(x)
		want := append([]header.Field(nil), x.Req.Fields.All()...)
		path := x.Req.Path
		filter := pool.Filter("test", chain.Deny)
		status := 0
		if pool.wants&abi.HookResponse != 0 {
			status = 200
			x.Resp.Status, x.Resp.Body = status, bodyOf("content", 7)
			err = filter.Response(x, 0)
		} else {
			_, err = filter.Request(x, 0)
		}
		if err == nil {
			return
		}
		var failure *Failure
		if !errors.As(err, &failure) || failure.Cause == Bug {
			t.Fatalf("got %v", err) // any other cause may be: a read can write over the script
		}
		compare(t, x.Req.Fields.All(), want)
		compare(t, x.Req.Path, path)
		if len(x.Attrs()) != 0 || len(*x.State(0)) != 0 || x.Resp.Status != status || x.Resp.Fields.Len() != 0 {
			t.Errorf("left behind: %v, %q, %+v", x.Attrs(), *x.State(0), x.Resp)
		}
	})
}

// FuzzLoad takes arbitrary modules through all hooks: nothing panics, no mistake of ours shows, no instance is left.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"hostile", "probe", "wasi", "holds", "flaky", "chunkflaky", "bound", "starttalks", "bomb"} {
		f.Add(fixture(f, name))
	}
	for _, b := range []bomb{
		{bodies: many(3, repeat(5, nil, "\x03\x40\x0b", 3, ""))},
		{data: append([]byte{1, 0, 0x41, 0, 0x0b}, sized([]byte("data"))...)},
		{custom: [][]byte{sectionOf(0, sized([]byte("name")), []byte{1, 4, 1, 0, 1, 'f'})}},
	} {
		f.Add(b.build())
	}
	h, err := NewHost(context.Background(), HostOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = h.Close() })
	limits := Limits{Memory: 2 << 20, Fuel: 500_000, FuelStart: 500_000, Slice: 50_000, WaitTimeout: time.Millisecond}
	grants := newGrants(f)
	grants.Upstreams = map[string]Fetcher{"auth": answering(200, "ok")}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		p, err := h.Load("fuzz", wasm, limits)
		if err != nil {
			return
		}
		defer p.Close()
		for _, config := range []string{"{}", `{"at":"r","do":"n"}`} {
			pool, err := p.Configure([]byte(config), grants)
			if err == nil {
				err = attack(pool.Filter("test", chain.Deny))
				pool.Close()
			}
			var failure *Failure
			if errors.As(err, &failure) && failure.Cause == Bug || err != nil && strings.Contains(err.Error(), "panicked") {
				t.Fatalf("got %v", err)
			}
		}
		if p.fleet.total != 0 || p.fleet.blocked != 0 || len(h.lanes) != 0 {
			t.Errorf("%d instances left, %d blocked, %d in a lane", p.fleet.total, p.fleet.blocked, len(h.lanes))
		}
	})
}
