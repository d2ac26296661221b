//go:build !wasm && !tinygo.wasm

package host

// noMessage stands for the bytes that are passed along.
const noMessage = 0xffffffff

// Schema is what JSON documents are checked against.
type Schema struct {
	// Check returns what is wrong with a document, as a JSON array of objects with pointer, keyword and message; "" for nothing. nil finds nothing.
	Check func(document []byte) string
	Most  int  // bytes of a document that is not too large; 0: any
	Down  bool // the check cannot be done
}

// SchemaCheck is the host function schema_check.
func SchemaCheck(schema string, msg uint32, data, buf []byte) int32 {
	s := world().Schemas[schema]
	switch {
	case !inHead():
		return wrongPhase
	case len(schema) > maxName || msg == noMessage && len(data) > 1<<20:
		return tooLarge
	case s == nil:
		return notGranted
	}
	if msg != noMessage {
		b, code := body(msg)
		if code < 0 {
			return code
		}
		data = []byte(*b)
	}
	switch {
	case s.Most > 0 && len(data) > s.Most:
		return tooLarge
	case s.Down:
		return unavailable
	case s.Check == nil:
		return 0
	}
	return read(s.Check(data), buf)
}
