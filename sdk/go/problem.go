package sallyport

import "strconv"

// problem writes a problem document (RFC 9457).
func problem(status int, title, id string) []byte {
	b := make([]byte, 0, 128)
	b = append(b, `{"type":"about:blank","title":`...)
	b = appendQuoted(b, title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	if id != "" {
		b = append(b, `,"request_id":`...)
		b = appendQuoted(b, id)
	}
	return append(b, "}\n"...)
}

// appendQuoted appends s as a JSON string.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
