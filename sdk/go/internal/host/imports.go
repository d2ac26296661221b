//go:build wasm || tinygo.wasm

package host

import "unsafe"

//go:wasmimport sallyport config
func config(buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport fail
func fail(text string) int32

//go:wasmimport sallyport log
func log(level int32, text string) int32

//go:wasmimport sallyport get
func get(field int32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport set
func set(field int32, value string) int32

//go:wasmimport sallyport param
func param(name string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport query
func query(name string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport status
func status(msg uint32) int32

//go:wasmimport sallyport set_status
func setStatus(code int32) int32

//go:wasmimport sallyport header_get
func headerGet(msg uint32, name string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport header_all
func headerAll(msg uint32, name string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport header_set
func headerSet(msg uint32, name, value string) int32

//go:wasmimport sallyport header_add
func headerAdd(msg uint32, name, value string) int32

//go:wasmimport sallyport header_remove
func headerRemove(msg uint32, name string) int32

//go:wasmimport sallyport body_size
func bodySize(msg uint32) int32

//go:wasmimport sallyport body_read
func bodyRead(msg, offset uint32, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport body_write
func bodyWrite(msg uint32, data unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport respond
func respond(status int32, body unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport state_get
func stateGet(buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport state_set
func stateSet(data unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport attr_get
func attrGet(name string, buf unsafe.Pointer, size uint32) int32

//go:wasmimport sallyport attr_set
func attrSet(name, value string) int32

//go:wasmimport sallyport exchange
func exchange() uint64

//go:wasmimport sallyport now
func now() int64

//go:wasmimport sallyport random
func random(buf unsafe.Pointer, size uint32) int32
