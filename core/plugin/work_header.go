package plugin

import (
	"encoding/binary"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

// framing are the fields that belong to the connection: they are the engine's, plugins neither see nor write them.
var framing = [...]string{
	"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
	"Content-Length",
}

func isFraming(name string) bool {
	for i := range framing {
		if header.EqualName(name, framing[i]) {
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
	if isFraming(name) {
		return "", abi.NotFound
	}
	value, found := h.fields(p).Get(name)
	if !found {
		return "", abi.NotFound
	}
	return value, ok
}

// headerAll calls each with the fields of that name, or with all when it is empty. Host comes only when it is named.
func (h *hookCall) headerAll(p part, name string, each func(header.Field)) abi.Code {
	if len(name) > abi.MaxName {
		return abi.TooLarge
	}
	if p == request && isHost(name) {
		each(header.Field{Name: "Host", Value: h.x.Req.Host})
		return ok
	}
	for _, field := range h.fields(p).All() {
		if (name == "" || header.EqualName(field.Name, name)) && !isFraming(field.Name) {
			each(field)
		}
	}
	return ok
}

// headerList returns those fields in the form of sdk/ABI.md, section 10.
func (h *hookCall) headerList(p part, name string) (string, abi.Code) {
	list := append(h.scratch[:0], 0, 0, 0, 0)
	count := uint32(0)
	code := h.headerAll(p, name, func(f header.Field) {
		count++
		list = binary.LittleEndian.AppendUint32(list, uint32(len(f.Name)))
		list = binary.LittleEndian.AppendUint32(list, uint32(len(f.Value)))
	})
	binary.LittleEndian.PutUint32(list, count)
	h.headerAll(p, name, func(f header.Field) {
		list = append(append(list, f.Name...), f.Value...)
	})
	return h.borrow(list), code
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
	case !validToken(name) || !validValue(value) || isFraming(name) || isHost(name):
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
	case !validToken(name) || isFraming(name) || isHost(name):
		return 0, abi.Invalid
	case !h.fields(p).Has(name):
		return 0, ok
	}
	return h.writable(p).Remove(name), ok
}
