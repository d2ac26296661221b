package sallyport

import "encoding/binary"

// decodeList reads a field list (sdk/ABI.md, section 10): count, the lengths of names and values, their bytes.
func decodeList(b []byte) []Header {
	if len(b) < 4 {
		return nil
	}
	count := int(binary.LittleEndian.Uint32(b))
	lengths := b[4 : 4+8*count]
	texts := string(b[4+8*count:])
	list := make([]Header, count)
	for i := range list {
		name := binary.LittleEndian.Uint32(lengths[8*i:])
		value := binary.LittleEndian.Uint32(lengths[8*i+4:])
		list[i] = Header{texts[:name], texts[name : name+value]}
		texts = texts[name+value:]
	}
	return list
}

// eachOfList visits the fields of a field list in place.
func eachOfList(b []byte, visit func(name, value []byte) bool) {
	if len(b) < 4 {
		return
	}
	count := int(binary.LittleEndian.Uint32(b))
	lengths, texts := b[4:4+8*count], b[4+8*count:]
	for i := range count {
		name := binary.LittleEndian.Uint32(lengths[8*i:])
		end := name + binary.LittleEndian.Uint32(lengths[8*i+4:])
		if !visit(texts[:name:name], texts[name:end:end]) {
			return
		}
		texts = texts[end:]
	}
}
