package field

import "strings"

// IsUTF8 reports whether no parameter of a media type names another charset, in whatever way it is written: with white space around the sign, which
// some take, or in parts (RFC 2231).
func IsUTF8(parameters string) bool {
	const charset = "charset"
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if len(name) >= len(charset) && Equal(name[:len(charset)], charset) && !Equal(strings.Trim(value, " \t\""), "utf-8") {
			return false
		}
	}
	return true
}
