//go:build !wasm && !tinygo.wasm

package host

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

const (
	notFound   = -1
	invalid    = -2
	wrongPhase = -4
	tooLarge   = -5
)

// maxAttrs is how many attributes an exchange has at most.
const maxAttrs = 64

// consumer is the field that stands for an attribute.
const consumer = 10

func read(value string, buf []byte) int32 {
	if len(value) <= len(buf) {
		copy(buf, value)
	}
	return int32(len(value))
}

func readIf(value string, ok bool, buf []byte) int32 {
	if !ok {
		return notFound
	}
	return read(value, buf)
}

// inHead reports whether a hook runs that may change something.
func inHead() bool { return current.phase == InRequest || current.phase == InResponse }

// inHook reports whether a hook runs that may read the exchange.
func inHook() bool { return inHead() || current.phase == InEnd || current.phase == InResponseChunk }

// inAnyHook reports whether any hook runs.
func inAnyHook() bool { return inHook() || current.phase == InRequestChunk }

// state is where the hook's state is kept.
func state() *[]byte {
	if current.phase == InRequestChunk {
		return &current.chunk.State
	}
	return &current.x.State
}

// Config is the host function config.
func Config(buf []byte) int32 { return read(current.config, buf) }

// Fail is the host function fail.
func Fail(text string) int32 {
	if current.phase != Configuring {
		return wrongPhase
	}
	current.reason = text
	return 0
}

// Log is the host function log.
func Log(level int32, text string) int32 {
	if level < 0 || level > 3 {
		return invalid
	}
	if current.x != nil {
		current.x.Log = append(current.x.Log, text)
	}
	return 0
}

// Get is the host function get.
func Get(field int32, buf []byte) int32 {
	if !inHook() {
		return wrongPhase
	}
	if field == consumer {
		return AttrGet("consumer", buf)
	}
	p := current.x.field(field)
	if p == nil {
		return invalid
	}
	return readIf(*p, *p != "" || field == 5, buf) // the query may be empty
}

// Set is the host function set.
func Set(field int32, value string) int32 {
	switch {
	case !inHead():
		return wrongPhase
	case field == consumer:
		return AttrSet("consumer", value)
	case field < 3 || field > 5: // host, path, query
		return invalid
	case current.phase != InRequest:
		return wrongPhase
	}
	return setTarget(field, value)
}

// hostBytes are what hosts and their ports are made of.
const hostBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:[]"

// setTarget sets host, path or query. The path stays as it is written; the gateway normalises it.
func setTarget(field int32, value string) int32 {
	most := map[int32]int{3: 261, 4: 8 << 10, 5: 16 << 10}[field]
	switch {
	case len(value) > most:
		return tooLarge
	case field == 3 && (value == "" || strings.Trim(value, hostBytes) != ""),
		field == 4 && !strings.HasPrefix(value, "/"),
		field == 5 && (!visible(value) || strings.Contains(value, "#")):
		return invalid
	case field == 3:
		value = strings.ToLower(value)
	}
	*current.x.field(field) = value
	return 0
}

// Param is the host function param.
func Param(name string, buf []byte) int32 {
	if !inHook() {
		return wrongPhase
	}
	if len(name) > maxName {
		return tooLarge
	}
	value, ok := current.x.Params[name]
	return readIf(value, ok, buf)
}

// Query is the host function query.
func Query(name string, buf []byte) int32 {
	if !inHook() {
		return wrongPhase
	}
	if len(name) > maxName {
		return tooLarge
	}
	for pair := range strings.SplitSeq(current.x.Query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if pair != "" && decode(key) == name {
			return read(decode(value), buf)
		}
	}
	return notFound
}

// decode undoes percent-encoding and plus signs; what is encoded wrongly stands for itself.
func decode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		}
		if c == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Status is the host function status.
func Status(msg uint32) int32 {
	switch _, code := message(msg); {
	case code < 0:
		return code
	case msg >= firstFetch:
		return int32(current.x.answer(msg).Status)
	case msg != 1:
		return invalid
	case current.x.Status == 0:
		return notFound
	}
	return int32(current.x.Status)
}

// SetStatus is the host function set_status.
func SetStatus(code int32) int32 {
	if current.phase != InResponse {
		return wrongPhase
	}
	if code < 200 || code > 599 {
		return invalid
	}
	current.x.Status = int(code)
	return 0
}

// Answer is the host function respond.
func Answer(status int32, body []byte) int32 {
	switch {
	case !inHead():
		return wrongPhase
	case len(body) > 1<<20:
		return tooLarge
	case status < 200 || status > 599, len(body) > 0 && (status == 204 || status == 304):
		return invalid
	}
	if current.phase == InResponse {
		dropContentFields(&current.x.Response)
		current.x.ResponseTrailers = nil
	}
	current.x.Status, current.x.Body = int(status), string(body)
	current.answered = true
	return 0
}

// StateGet is the host function state_get.
func StateGet(buf []byte) int32 {
	if !inAnyHook() {
		return wrongPhase
	}
	return read(string(*state()), buf)
}

// StateSet is the host function state_set.
func StateSet(data []byte) int32 {
	if !inAnyHook() {
		return wrongPhase
	}
	if len(data) > 64<<10 {
		return tooLarge
	}
	*state() = append([]byte(nil), data...)
	return 0
}

// AttrGet is the host function attr_get.
func AttrGet(name string, buf []byte) int32 {
	if !inHook() {
		return wrongPhase
	}
	if len(name) > maxName {
		return tooLarge
	}
	value, ok := current.x.Attrs[name]
	return readIf(value, ok, buf)
}

// AttrSet is the host function attr_set.
func AttrSet(name, value string) int32 {
	switch {
	case !inHead() && current.phase != InResponseChunk:
		return wrongPhase
	case len(name) > maxName || len(value) > 4<<10:
		return tooLarge
	case name == "" || !visible(name) || !printable(value):
		return invalid
	}
	if _, there := current.x.Attrs[name]; !there && len(current.x.Attrs) >= maxAttrs {
		return tooLarge
	}
	if current.x.Attrs == nil {
		current.x.Attrs = map[string]string{}
	}
	current.x.Attrs[name] = value
	return 0
}

// Number is the host function exchange.
func Number() uint64 {
	if !inAnyHook() {
		return 1<<64 + wrongPhase
	}
	return current.x.Number
}

// Now is the host function now.
func Now() int64 { return time.Now().UnixNano() + int64(world().passed) }

// Random is the host function random.
func Random(buf []byte) int32 {
	if len(buf) > 4<<10 {
		return tooLarge
	}
	_, _ = rand.Read(buf) // never fails
	return 0
}

// encodeList writes a field list (sdk/ABI.md, section 10).
func encodeList(list []Field) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(list)))
	for _, f := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Name)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Value)))
	}
	for _, f := range list {
		b = append(append(b, f.Name...), f.Value...)
	}
	return b
}
