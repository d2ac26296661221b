package meter

// A small assembler for modules that no text compiler would write.

func build(sections ...[]byte) []byte {
	b := append([]byte(nil), magic...)
	for _, s := range sections {
		b = append(b, s...)
	}
	return b
}

func section(id byte, content []byte) []byte { return appendSection(nil, id, content) }

func vector(items ...[]byte) []byte {
	b := appendU32(nil, uint32(len(items)))
	for _, i := range items {
		b = append(b, i...)
	}
	return b
}

func sig(params, results []byte) []byte {
	b := append(appendU32([]byte{typeFunc}, uint32(len(params))), params...)
	return append(appendU32(b, uint32(len(results))), results...)
}

func export(name string, kind byte, index uint32) []byte {
	return appendU32(append(appendName(nil, name), kind), index)
}

func sized(b []byte) []byte { return append(appendU32(nil, uint32(len(b))), b...) }

// bodyOf is a function body without locals.
func bodyOf(code ...byte) []byte { return sized(append([]byte{0}, code...)) }

// oneFunc is a module with the sections given (type, function and code left out) and one function () -> ().
func oneFunc(code []byte, before ...[]byte) []byte {
	parts := [][]byte{section(secType, vector(sig(nil, nil)))}
	placed := false
	for _, s := range before {
		if s[0] > secFunction && !placed {
			parts = append(parts, section(secFunction, []byte{1, 0}))
			placed = true
		}
		parts = append(parts, s)
	}
	if !placed {
		parts = append(parts, section(secFunction, []byte{1, 0}))
	}
	return build(append(parts, section(secCode, vector(bodyOf(code...))))...)
}
