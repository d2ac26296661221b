package schema

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// canonical appends a form of a value that is the same for equal values, and for no others: 1.0 and 10e-1 are one number.
func (m *meter) canonical(b []byte, value any) []byte {
	m.spend(costValue)
	switch v := value.(type) {
	case nil:
		return append(b, 'n')
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return m.text(append(b, 's'), v)
	case json.Number:
		return m.text(append(b, '#'), plain(string(v)))
	case []any:
		b = binary.AppendUvarint(append(b, 'a'), uint64(len(v)))
		for _, element := range v {
			b = m.canonical(b, element)
		}
	case map[string]any:
		b = binary.AppendUvarint(append(b, 'o'), uint64(len(v)))
		m.spend(costValue * int64(len(v)))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = m.canonical(m.text(b, name), v[name])
		}
	}
	return b
}

func (m *meter) text(b []byte, s string) []byte {
	m.spend(int64(len(s)))
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// plain writes a number as its sign, its digits without zeros at both ends, and the power of ten that they are to be multiplied by.
func plain(number string) string {
	sign := ""
	if rest, negative := strings.CutPrefix(number, "-"); negative {
		sign, number = "-", rest
	}
	mantissa, power, _ := strings.Cut(strings.ToLower(number), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent, _ := strconv.Atoi(power) // "" is 0; the parser bounds the others
	exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(digits, "0")
	if short == "" {
		return "0"
	}
	return sign + short + "e" + strconv.Itoa(exponent+len(digits)-len(short))
}

// unique reports whether no element equals another. Equal forms are found by the map's own, seeded hash: the library's can be made to collide by
// whoever writes the document, so that a megabyte of elements takes minutes.
func (m *meter) unique(elements []any) bool {
	seen := make(map[string]struct{}, len(elements))
	var form []byte
	for _, element := range elements {
		form = m.canonical(form[:0], element)
		if _, again := seen[string(form)]; again {
			return false
		}
		seen[string(form)] = struct{}{}
	}
	return true
}
