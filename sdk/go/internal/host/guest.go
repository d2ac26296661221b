//go:build wasm || tinygo.wasm

// Package host is the gateway as the plugin sees it: its functions, with buffers in place of pointers. Outside
// WebAssembly an in-memory gateway stands in for the real one.
//
// A function that fills buf is a read (sdk/ABI.md, section 4): it returns the value's length, and has written nothing
// if that is greater than len(buf). Negative results are codes.
package host

import "unsafe"

func at(b []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b))
}

// Config reads the filter's configuration as JSON.
func Config(buf []byte) int32 {
	p, n := at(buf)
	return config(p, n)
}

// Fail tells why the configuration is refused.
func Fail(text string) int32 { return fail(text) }

// Log writes a line to the gateway's log.
func Log(level int32, text string) int32 { return log(level, text) }

// Get reads a field of the exchange.
func Get(field int32, buf []byte) int32 {
	p, n := at(buf)
	return get(field, p, n)
}

// Set writes a field of the exchange.
func Set(field int32, value string) int32 { return set(field, value) }

// Param reads a path parameter.
func Param(name string, buf []byte) int32 {
	p, n := at(buf)
	return param(name, p, n)
}

// Query reads a query parameter.
func Query(name string, buf []byte) int32 {
	p, n := at(buf)
	return query(name, p, n)
}

// Status returns a message's status.
func Status(msg uint32) int32 { return status(msg) }

// SetStatus sets the response's status.
func SetStatus(code int32) int32 { return setStatus(code) }

// HeaderGet reads the first value of a header.
func HeaderGet(msg uint32, name string, buf []byte) int32 {
	p, n := at(buf)
	return headerGet(msg, name, p, n)
}

// HeaderAll reads the field list of a header, or of all.
func HeaderAll(msg uint32, name string, buf []byte) int32 {
	p, n := at(buf)
	return headerAll(msg, name, p, n)
}

// HeaderSet makes value the only one of a header.
func HeaderSet(msg uint32, name, value string) int32 { return headerSet(msg, name, value) }

// HeaderAdd appends a header.
func HeaderAdd(msg uint32, name, value string) int32 { return headerAdd(msg, name, value) }

// HeaderRemove deletes a header and returns how many there were.
func HeaderRemove(msg uint32, name string) int32 { return headerRemove(msg, name) }

// BodySize returns the length of a message's body.
func BodySize(msg uint32) int32 { return bodySize(msg) }

// BodyRead copies what there is of a body from offset on and fits, and returns its length, 0 at the end.
func BodyRead(msg, offset uint32, buf []byte) int32 {
	p, n := at(buf)
	return bodyRead(msg, offset, p, n)
}

// BodyWrite replaces a message's body.
func BodyWrite(msg uint32, data []byte) int32 {
	p, n := at(data)
	return bodyWrite(msg, p, n)
}

// Answer is the host function respond.
func Answer(status int32, body []byte) int32 {
	p, n := at(body)
	return respond(status, p, n)
}

// StateGet reads the filter's memory of the exchange.
func StateGet(buf []byte) int32 {
	p, n := at(buf)
	return stateGet(p, n)
}

// StateSet writes the filter's memory of the exchange.
func StateSet(data []byte) int32 {
	p, n := at(data)
	return stateSet(p, n)
}

// AttrGet reads an attribute.
func AttrGet(name string, buf []byte) int32 {
	p, n := at(buf)
	return attrGet(name, p, n)
}

// AttrSet writes an attribute.
func AttrSet(name, value string) int32 { return attrSet(name, value) }

// Number returns the exchange's number.
func Number() uint64 { return exchange() }

// Now returns nanoseconds since 1970 UTC.
func Now() int64 { return now() }

// Random fills buf with random bytes.
func Random(buf []byte) int32 {
	p, n := at(buf)
	return random(p, n)
}
