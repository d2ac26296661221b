package plugin

import (
	"encoding/binary"
	"slices"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// isFraming reports whether a field belongs to the connection: those are the engine's, plugins neither see nor write them. Most names
// are told apart by their length alone.
func isFraming(name string) bool {
	switch len(name) {
	case 2:
		return header.EqualName(name, "TE")
	case 7:
		return header.EqualName(name, "Trailer") || header.EqualName(name, "Upgrade")
	case 10:
		return header.EqualName(name, "Connection") || header.EqualName(name, "Keep-Alive")
	case 14:
		return header.EqualName(name, "HTTP2-Settings") || header.EqualName(name, "Content-Length")
	case 16:
		return header.EqualName(name, "Proxy-Connection")
	case 17:
		return header.EqualName(name, "Transfer-Encoding")
	}
	return false
}

// closed reports whether a field is never there for this plugin: it belongs to the connection, or the grants hide it.
func (h *hookCall) closed(name string) bool {
	return isFraming(name) || isHidden(name, h.grants.Hidden)
}

func isHidden(name string, hidden []string) bool {
	for _, field := range hidden {
		if header.EqualName(field, name) {
			return true
		}
	}
	return false
}

func isHost(name string) bool { return header.EqualName(name, "Host") }

// headerGet returns a field's first value.
func (h *hookCall) headerGet(p part, name string) (string, abi.Code) {
	if len(name) > abi.MaxName {
		return "", abi.TooLarge
	}
	if p == request && isHost(name) {
		return h.x.Req.Host, ok
	}
	if h.closed(name) {
		return "", abi.NotFound
	}
	value, found := h.fields(p).Get(name)
	if !found {
		return "", abi.NotFound
	}
	return value, ok
}

// headerList returns the fields of that name, or all when it is empty, in the form of sdk/ABI.md, section 10. Host comes only
// when it is named.
func (h *hookCall) headerList(p part, name string) (string, abi.Code) {
	if len(name) > abi.MaxName {
		return "", abi.TooLarge
	}
	if p == request && isHost(name) {
		return h.borrow(encodeList(h.scratch, "", []header.Field{{Name: "Host", Value: h.x.Req.Host}}, nil)), ok
	}
	return h.borrow(encodeList(h.scratch, name, h.fields(p).All(), h.grants.Hidden)), ok
}

// encodeList makes, in buf, a field list of the fields of that name. There is room for the lengths of all: mostly all are wanted.
func encodeList(buf []byte, name string, fields []header.Field, hidden []string) []byte {
	const count, lengths = 4, 8
	texts := count + lengths*len(fields)
	list := slices.Grow(buf[:0], texts)[:texts]
	n := 0
	for _, f := range fields {
		if name != "" && !header.EqualName(f.Name, name) || isFraming(f.Name) || isHidden(f.Name, hidden) {
			continue
		}
		at := list[count+lengths*n:]
		binary.LittleEndian.PutUint32(at, uint32(len(f.Name)))
		binary.LittleEndian.PutUint32(at[4:], uint32(len(f.Value)))
		list = append(append(list, f.Name...), f.Value...)
		n++
	}
	binary.LittleEndian.PutUint32(list, uint32(n))
	return slices.Delete(list, count+lengths*n, texts)
}

// headerSet makes value the only one of its name; the request's host counts as a field here.
func (h *hookCall) headerSet(p part, name, value string) abi.Code {
	if p == request && isHost(name) {
		return h.setHost(value)
	}
	return h.headerWrite(p, name, value, true)
}

// headerAdd appends a field.
func (h *hookCall) headerAdd(p part, name, value string) abi.Code {
	return h.headerWrite(p, name, value, false)
}

func (h *hookCall) headerWrite(p part, name, value string, only bool) abi.Code {
	value = trimSpace(value)
	switch {
	case h.gone(p):
		return abi.WrongPhase
	case len(name) > abi.MaxName || len(value) > abi.MaxFieldValue:
		return abi.TooLarge
	case !validToken(name) || !validValue(value) || h.closed(name) || isHost(name):
		return abi.Invalid
	case !roomFor(h.fields(p), name, value, only):
		return abi.TooLarge
	}
	fields := h.writable(p)
	if only {
		fields.Set(h.copy(name), h.copy(value))
	} else {
		fields.Add(h.copy(name), h.copy(value))
	}
	return ok
}

// roomFor reports whether the message stays within the limits; with only, fields of that name give their room back.
func roomFor(fields *header.Fields, name, value string, only bool) bool {
	count, size := 1, len(name)+len(value)
	for _, field := range fields.All() {
		if only && header.EqualName(field.Name, name) {
			continue
		}
		count++
		size += len(field.Name) + len(field.Value)
	}
	return count <= abi.MaxFields && size <= abi.MaxFieldBytes
}

// headerRemove takes away every field of that name and returns how many there were.
func (h *hookCall) headerRemove(p part, name string) (int, abi.Code) {
	switch {
	case h.gone(p):
		return 0, abi.WrongPhase
	case len(name) > abi.MaxName:
		return 0, abi.TooLarge
	case !validToken(name) || h.closed(name) || isHost(name):
		return 0, abi.Invalid
	case !h.fields(p).Has(name):
		return 0, ok
	}
	return h.writable(p).Remove(name), ok
}
