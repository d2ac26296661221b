package cases

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much of a value a report shows: bodies can be huge.
const (
	maxShown  = 400 // bytes of a line
	maxBefore = 40  // of them before the first difference
	maxLines  = 200 // of a difference
)

// harmless returns a line as it is shown: a guest's text must not move the cursor of a terminal, and what cannot be seen would look equal.
func harmless(line string) string {
	if strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }) || !utf8.ValidString(line) {
		line = strconv.Quote(line)
	}
	return excerpt(line, 0)
}

// excerpts cuts two long lines to where they differ.
func excerpts(a, b string) (string, string) {
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	from := max(0, same-maxBefore)
	if max(len(a), len(b)) <= maxShown {
		from = 0
	}
	return excerpt(a, from), excerpt(b, from)
}

// excerpt cuts a line to what is shown of it from an offset on.
func excerpt(line string, from int) string {
	if from == 0 && len(line) <= maxShown {
		return line
	}
	from = min(from, len(line))
	to := min(from+maxShown, len(line))
	for from > 0 && from < len(line) && !utf8.RuneStart(line[from]) {
		from--
	}
	for to < len(line) && !utf8.RuneStart(line[to]) {
		to--
	}
	text := line[from:to]
	if from > 0 {
		text = "…" + text
	}
	if to < len(line) {
		text += "…"
	}
	return fmt.Sprintf("%s (%d bytes in all)", text, len(line))
}
