//go:build !wasm && !tinygo.wasm

package host

// body returns a message's body if it is at hand: the hook has asked for it, or has made it.
func body(msg uint32) (*string, int32) {
	if !inAnyHook() {
		return nil, wrongPhase
	}
	_, code := fieldsOf(msg)
	switch {
	case code < 0:
		return nil, code
	case current.chunk != nil && msg == current.chunk.message():
		return &current.chunk.Bytes, 0
	case msg >= firstFetch:
		return &current.x.answer(msg).Body, 0
	case msg == 0 && current.phase == InRequest && current.held:
		return &current.x.RequestBody, 0
	case msg == 1 && (current.phase == InResponse && current.held || current.answered):
		return &current.x.Body, 0
	case msg > 1:
		return nil, invalid
	}
	return nil, wrongPhase
}

// complete returns 0 if a message has come to its end as far as the hook may know, else a code.
func complete(msg uint32) int32 {
	switch {
	case current.phase == InEnd || msg == 1 && current.phase == InResponseChunk && current.chunk.Last:
		return 0
	case current.chunk != nil:
		return wrongPhase
	}
	_, code := body(msg)
	return code
}

// BodySize is the host function body_size.
func BodySize(msg uint32) int32 {
	b, code := body(msg)
	if code < 0 {
		return code
	}
	return int32(len(*b))
}

// BodyRead is the host function body_read.
func BodyRead(msg, offset uint32, buf []byte) int32 {
	b, code := body(msg)
	if code < 0 {
		return code
	}
	return int32(copy(buf, (*b)[min(int(offset), len(*b)):]))
}

// BodyWrite is the host function body_write.
func BodyWrite(msg uint32, data []byte) int32 {
	if !inHead() && current.chunk == nil {
		return wrongPhase
	}
	if code := changeable(msg); code < 0 {
		return code
	}
	b, code := body(msg)
	switch {
	case code < 0:
		return code
	case len(data) > 1<<20:
		return tooLarge
	case msg == 1 && current.chunk == nil && len(data) > 0 && (current.x.Status == 204 || current.x.Status == 304):
		return invalid
	}
	*b = string(data)
	return 0
}
