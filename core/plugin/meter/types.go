package meter

import "bytes"

// The value types and other bytes of the binary format that the meter writes or compares.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeFunc      = 0x60
	blockEmpty    = 0x40
)

// funcType is a signature; same is the lowest index of an equal type.
type funcType struct {
	params, results []byte
	same            uint32
}

func isValueType(t byte) bool { return t >= typeV128 && t <= typeI32 || isRefType(t) }

func isRefType(t byte) bool { return t == typeFuncref || t == typeExternref }

func (m *module) decodeTypes(r *reader) {
	seen := map[string]uint32{}
	for n := r.atMost(m.lim.Items, 3, "types"); n > 0; n-- {
		at := r.pos
		if form := r.u8(); form != typeFunc {
			r.failAt(at, "type form 0x%x is not supported", form)
			return
		}
		t := funcType{params: m.valueTypes(r), results: m.valueTypes(r), same: uint32(len(m.types))}
		if r.bad != nil {
			return
		}
		key := string(t.params) + "\x60" + string(t.results) // not the bytes read: lengths may be padded
		if first, ok := seen[key]; ok {
			t.same = first
		} else {
			seen[key] = t.same
		}
		m.types = append(m.types, t)
	}
}

func (m *module) valueTypes(r *reader) []byte {
	at := r.pos
	n := r.u32()
	if uint64(n) > uint64(m.lim.Arity) {
		r.failAt(at, "%d values in a type, %d allowed", n, m.lim.Arity)
		return nil
	}
	b := r.take(n)
	for _, t := range b {
		if !isValueType(t) {
			r.failAt(at, "value type 0x%x is not supported", t)
		}
	}
	return bytes.Clone(b) // Info hands it out
}
