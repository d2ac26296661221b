package gatewaytest

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// dearModule is a plugin that the compiler has to work for, though not as long as would have it refused: functions of nothing but loads whose
// values are all kept.
func dearModule(functions, loads int) []byte {
	sized := func(parts ...[]byte) []byte {
		b := bytes.Join(parts, nil)
		return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
	}
	section := func(id byte, parts ...[]byte) []byte { return append([]byte{id}, sized(parts...)...) }
	count := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	export := func(name string, kind, index byte) []byte { return append(sized([]byte(name)), kind, index) }
	body := sized([]byte{0}, bytes.Repeat([]byte{0x41, 0, 0x28, 2, 0}, loads), bytes.Repeat([]byte{0x1a}, loads), []byte{0x0b})
	return bytes.Join([][]byte{
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{2, 0x60, 0, 1, 0x7f, 0x60, 0, 0}),
		section(3, count(2+functions), []byte{0, 0}, bytes.Repeat([]byte{1}, functions)),
		section(5, []byte{1, 0, 1}),
		section(7, []byte{3}, export("memory", 2, 0), export("sallyport_abi", 0, 0), export("on_configure", 0, 1)),
		section(10, count(2+functions), []byte{4, 0, 0x41, 1, 0x0b, 4, 0, 0x41, 0, 0x0b}, bytes.Repeat(body, functions)),
	}, nil)
}

// A plugin is compiled beside the traffic. How quickly that answers is printed, and judged by whoever measures.
func TestLatencyWhileAPluginIsCompiled(t *testing.T) {
	dir := t.TempDir()
	backend := Backend(t, Echo)
	toml := "[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\n" + routes(backend, "[[routes]]\nname = \"good\"\npath = \"/good\"\nupstream = \"b\"\n")
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := StartIn(t, dir, toml)
	client := newSteadyClient(t, g.Addr)
	client.times("/good", 100*time.Millisecond)
	_, quiet, _ := client.times("/good", 500*time.Millisecond)
	if err := os.WriteFile(filepath.Join(dir, "plugins", "dear.wasm"), dearModule(4, 40_000), 0o644); err != nil {
		t.Fatal(err)
	}
	loaded := make(chan time.Duration, 1)
	go func() {
		began := time.Now()
		if err := g.ApplyText(toml + "[[routes]]\nname = \"dear\"\npath = \"/dear\"\nupstream = \"b\"\nfilters = [\"dear\"]\n"); err != nil {
			t.Error(err)
		}
		loaded <- time.Since(began)
	}()
	median, p99, n := client.timesUntil("/good", func() bool { return len(loaded) > 0 })
	t.Logf("99 of 100 within %v; while a plugin was compiled for %v %v, half of %d within %v", quiet, <-loaded, p99, n, median)
	if status, _, _ := g.Get("/dear"); status != 200 {
		t.Errorf("through the plugin: got %d", status)
	}
}
