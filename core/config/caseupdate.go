package config

import (
	"strings"
)

// caseBlock is where a case stands in the text of its file, and where its expect tables do.
type caseBlock struct {
	from, to   int // from its header to the end of its last line
	expect     [][2]int
	expectsAny bool // somewhere
}

// findBlocks finds the cases in the text. What is written without a [[cases]] header of its own has no block.
func (c *Cases) findBlocks() {
	body := withoutMark(c.text)
	mark := len(c.text) - len(body)
	s := scan(body, func() {})
	c.blocks = make([]caseBlock, len(c.List))
	at := -1
	for i, h := range s.headers {
		end := len(body)
		if i+1 < len(s.headers) {
			end = s.headers[i+1].from
		}
		end = h.from + contentLength(body[h.from:end])
		if h.path == element("cases", at+1) {
			at++
			c.blocks[at].from = mark + h.from
		}
		if at < 0 {
			continue
		}
		b := &c.blocks[at]
		b.to = mark + end
		own := c.List[at].Key + ".expect"
		if h.path == own || strings.HasPrefix(h.path, own+".") {
			b.expect = append(b.expect, [2]int{mark + h.from, mark + end})
		}
	}
	for i := range c.blocks {
		_, c.blocks[i].expectsAny = c.config.places[c.List[i].Key+".expect"]
	}
}

// contentLength is how much of a block is left without the blank lines and comments at its end: those belong to what follows.
func contentLength(block string) int {
	end := 0
	for at := 0; at < len(block); {
		n := strings.IndexByte(block[at:], '\n') + 1
		if n == 0 {
			n = len(block) - at
		}
		if line := strings.TrimSpace(block[at : at+n]); line != "" && line[0] != '#' {
			end = at + n
		}
		at += n
	}
	return end
}

// WithExpect returns the file's text with the expect tables of some cases, by their place in List, replaced by other text, lines with
// newline at their end. A case whose expectations are not written as tables with headers is an error.
func (c *Cases) WithExpect(texts map[int]string) ([]byte, error) {
	var out strings.Builder
	var wrong Errors
	done := 0
	for i := range c.List {
		text, ok := texts[i]
		if !ok {
			continue
		}
		b := c.blocks[i]
		if b.to == 0 || b.expectsAny && len(b.expect) == 0 {
			wrong = append(wrong, c.Errorf(c.List[i].Key+".expect", "is not a table with a header of its own: write [cases.expect], so that it can be replaced"))
			continue
		}
		if len(b.expect) == 0 {
			b.expect = [][2]int{{b.to, b.to}}
		}
		out.WriteString(c.text[done:b.expect[0][0]])
		if done = b.expect[0][0]; done > 0 && c.text[done-1] != '\n' {
			out.WriteString("\n")
		}
		for n, span := range b.expect {
			if n > 0 {
				out.WriteString(strings.TrimLeft(c.text[done:span[0]], "\n"))
			}
			out.WriteString(ownComments(c.text[span[0]:span[1]]))
			done = span[1]
			if n == 0 {
				out.WriteString(text)
			}
		}
	}
	if len(wrong) > 0 {
		return nil, wrong.sort()
	}
	out.WriteString(c.text[done:])
	return []byte(out.String()), nil
}

// ownComments returns the lines of a table that are nothing but comments, to be kept when the table is replaced.
func ownComments(block string) string {
	var kept strings.Builder
	for line := range strings.Lines(block) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
