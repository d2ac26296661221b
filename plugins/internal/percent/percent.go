// Package percent decodes and encodes what stands in paths and queries (RFC 3986, section 2.1).
package percent

// AppendDecoded appends a part of a query, decoded as the gateway does it: + is a space, an invalid escape stands for itself.
func AppendDecoded[T string | []byte](dst []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			dst = append(dst, ' ')
		case s[i] == '%' && i+2 < len(s) && digit(s[i+1]) < 16 && digit(s[i+2]) < 16:
			dst = append(dst, digit(s[i+1])<<4|digit(s[i+2]))
			i += 2
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

// digit returns a digit's value, 255 if it is none.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// AppendEncoded appends a text with all but unreserved characters encoded; slashes stay if they are to.
func AppendEncoded(dst []byte, s string, slashes bool) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unreserved(c) || slashes && c == '/' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func unreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
