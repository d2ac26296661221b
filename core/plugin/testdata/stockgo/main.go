//go:build wasip1

// A plugin in stock Go that leans on its runtime: clocks, randomness, environment, streams, garbage collection, panics.
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"
)

//go:wasmimport sallyport query
func query(name unsafe.Pointer, nameLen uint32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport header_set
func headerSet(msg uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32) int32

var garbage []byte // something to collect

//go:wasmexport sallyport_abi
func level() int32 { return 1 }

//go:wasmexport on_configure
func onConfigure() int32 {
	if len(os.Args) != 0 || len(os.Environ()) != 0 || time.Now().Year() < 2024 {
		return -1
	}
	if _, err := os.ReadFile("/etc/passwd"); err == nil {
		return -2
	}
	return 1
}

//go:wasmexport on_request
func onRequest() int32 {
	name, value := []byte("mode"), make([]byte, 32)
	n := query(unsafe.Pointer(&name[0]), uint32(len(name)), unsafe.Pointer(&value[0]), uint32(len(value)))
	if n > 0 && string(value[:n]) == "panic" {
		panic("asked to")
	}
	key := make([]byte, 8)
	if _, err := rand.Read(key); err != nil {
		return 7
	}
	for range 100 {
		garbage = make([]byte, 1000)
	}
	runtime.GC()
	time.Sleep(time.Nanosecond)
	fmt.Println("said by println")
	field := []byte("x-key")
	text := fmt.Appendf(nil, "%x", key)
	return headerSet(0, unsafe.Pointer(&field[0]), uint32(len(field)), unsafe.Pointer(&text[0]), uint32(len(text)))
}

func main() {}
