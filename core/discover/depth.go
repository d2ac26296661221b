package discover

import "strings"

// depth returns how deep arrays and tables are nested in a text of TOML, at least: brackets and dots in comments and strings do not count. Each
// dot of a key makes a table, and the library's memory grows with the square of them.
func depth(text string) (deepest int) {
	now, dots := 0, 0
	for i := 0; i < len(text); {
		switch text[i] {
		case '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return deepest
			}
			i += end
		case '"', '\'':
			i += stringLength(text[i:])
			continue
		case '.':
			dots++
		case '[', '{':
			now, dots = now+1, 0
		case ']', '}':
			now, dots = max(now-1, 0), 0
		case '=', ',', '\n':
			dots = 0
		}
		deepest = max(deepest, now+dots)
		i++
	}
	return deepest
}

// stringLength returns the length of the string, of any of TOML's four kinds, that text begins with.
func stringLength(text string) int {
	quote := text[:1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text, triple) {
		quote = triple
	}
	for i := len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote[0] == '"':
			i++
		case strings.HasPrefix(text[i:], quote):
			end := i + len(quote)
			for len(quote) == 3 && end < len(text) && end < i+5 && text[end] == quote[0] {
				end++ // up to two quotes before the closing ones belong to the string
			}
			return end
		case text[i] == '\n' && len(quote) == 1:
			return i // it has no end, and the library will say so
		}
	}
	return len(text)
}
