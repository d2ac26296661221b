package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/claims"
	"github.com/sallyport/sallyport/plugins/internal/field"
)

var (
	errNotJSON = errors.New("the body is not JSON")
	errTwice   = errors.New("the body has a member twice")
	errTooMany = errors.New("the body has too many members")
)

// most is how many members or elements a value may have that a step looks into.
const most = 1 << 16

// document is a body that steps look into.
type document struct {
	text  string
	grown []byte  // what text is a view of, once something was appended to it
	seen  []int32 // room for checkKeys
	root  node
}

// node is a value of a document: a place in its text, or a text of its own. What no step looks into stays as it was, to the byte. Places
// are numbers: a string into the middle of a large text costs a guest's collector a walk to its beginning, each time.
type node struct {
	at, end int32
	text    string // instead of the place
	open    bool   // its items are what it holds
	kind    byte   // of an open one: { or [
	items   []item
}

// item is a member of an object, or an element of an array, which has no key.
type item struct {
	at, end int32  // the key as written, with its quotes
	quoted  string // instead of the place
	value   node
}

// parse reads a document.
func parse(text string) (*document, error) {
	end := scan(text, 0, 0)
	if end < 0 || space(text, end) != len(text) {
		return nil, errNotJSON
	}
	return &document{text: text, root: node{at: int32(space(text, 0)), end: int32(end)}}, nil
}

func (d *document) textOf(n *node) string {
	if n.text != "" {
		return n.text
	}
	return d.text[n.at:n.end]
}

func (d *document) quoted(it *item) string {
	if it.quoted != "" {
		return it.quoted
	}
	return d.text[it.at:it.end]
}

// key returns a member's name.
func (d *document) key(it *item) string {
	key, _ := claims.Text(d.quoted(it))
	return key
}

// isContainer reports whether there is something to look into, and begins to.
func (d *document) isContainer(n *node) (bool, error) {
	if n.open {
		return true, nil
	}
	text := d.textOf(n)
	if text[0] != '{' && text[0] != '[' {
		return false, nil
	}
	n.open, n.kind = true, text[0]
	if n.text != "" { // one that a step has set: it becomes part of the text
		n.at = int32(len(d.text))
		d.append(n.text)
		n.end, n.text = int32(len(d.text)), ""
	}
	return true, d.split(n)
}

// append makes the text longer. There is room ahead: a step may do it for each of many elements.
func (d *document) append(text string) {
	if d.grown == nil {
		d.grown = append(make([]byte, 0, 2*len(d.text)+len(text)), d.text...)
	}
	d.grown = append(d.grown, text...)
	d.text = field.View(d.grown)
}

// split finds the items of a text that scan has found to be right.
func (d *document) split(n *node) error {
	text, i := d.text, space(d.text, int(n.at)+1)
	for text[i] != '}' && text[i] != ']' {
		it := item{at: int32(i)}
		if n.kind == '{' {
			it.end = int32(scanString(text, i+1))
			i = space(text, scanKey(text, i))
		}
		it.value.at = int32(i)
		i = scan(text, i, 0)
		it.value.end = int32(i)
		if n.items = append(n.items, it); len(n.items) > most {
			return errTooMany
		}
		if i = space(text, i); text[i] == ',' {
			i = space(text, i+1)
		}
	}
	if n.kind == '{' {
		return d.checkKeys(n.items)
	}
	return nil
}

// checkKeys refuses a member that is there twice: the upstream might take another one than the steps. It looks keys up in a table that has at
// least as many free places as taken ones.
func (d *document) checkKeys(items []item) error {
	size := 4
	for size < 2*len(items) {
		size *= 2
	}
	if cap(d.seen) < size {
		d.seen = make([]int32, size)
	}
	seen := d.seen[:size]
	clear(seen)
	for i := range items {
		key := d.key(&items[i])
		place := hash(key) & uint32(size-1)
		for ; seen[place] != 0; place = (place + 1) & uint32(size-1) {
			if d.key(&items[seen[place]-1]) == key {
				return errTwice
			}
		}
		seen[place] = int32(i + 1)
	}
	return nil
}

// hash is FNV-1a.
func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// find returns where a key or an index is, -1 if it is not there.
func (d *document) find(n *node, token string) int {
	if n.kind == '[' {
		return n.index(token)
	}
	for i := range n.items {
		if d.key(&n.items[i]) == token {
			return i
		}
	}
	return -1
}

// index reads an index as RFC 6901 writes it.
func (n *node) index(token string) int {
	if token == "" || len(token) > 6 || token[0] == '0' && len(token) > 1 {
		return -1
	}
	i := 0
	for _, c := range []byte(token) {
		if !isDigit(c) {
			return -1
		}
		i = i*10 + int(c-'0')
	}
	if i >= len(n.items) {
		return -1
	}
	return i
}

func (n *node) drop(i int) { n.items = append(n.items[:i], n.items[i+1:]...) }

// put sets a member, or an element that is there, or appends one, whose token is "-". It reports whether it could.
func (d *document) put(n *node, token string, value node) bool {
	i := d.find(n, token)
	switch {
	case i >= 0:
		n.items[i].value = value
	case n.kind == '{':
		n.items = append(n.items, item{quoted: string(quote(nil, token)), value: value})
	case token == "-":
		n.items = append(n.items, item{value: value})
	default:
		return false
	}
	return true
}

// write appends a value.
func (d *document) write(b []byte, n *node) []byte {
	if !n.open {
		return append(b, d.textOf(n)...)
	}
	b = append(b, n.kind)
	for i := range n.items {
		if i > 0 {
			b = append(b, ',')
		}
		if n.kind == '{' {
			b = append(append(b, d.quoted(&n.items[i])...), ':')
		}
		b = d.write(b, &n.items[i].value)
	}
	return append(b, n.kind+2) // ] and } are two after [ and {
}

// quote appends a string.
func quote(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
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

// pointer is a JSON pointer (RFC 6901) in its parts. A part that is * stands for all members or elements.
type pointer []string

const all = "*"

func parsePointer(text string) (pointer, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, errors.New("must be a JSON pointer, such as /user/name")
	}
	p := strings.Split(text[1:], "/")
	if len(p) > deepest {
		return nil, errors.New("must not be deeper than 64")
	}
	for i, token := range p {
		for j := range len(token) {
			if token[j] == '~' && (j+1 == len(token) || token[j+1] != '0' && token[j+1] != '1') {
				return nil, errors.New("must be a JSON pointer: ~0 is a tilde, ~1 a slash")
			}
		}
		p[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return p, nil
}

func (p pointer) hasAll() bool {
	for _, token := range p {
		if token == all {
			return true
		}
	}
	return false
}

// below reports whether p is q or leads through it.
func (p pointer) below(q pointer) bool {
	if len(p) < len(q) {
		return false
	}
	for i := range q {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}
