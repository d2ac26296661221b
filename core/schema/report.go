package schema

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of what is told of a document.
const (
	MaxReport   = 8 << 10 // bytes of the JSON
	maxFindings = 32
	maxPointer  = 256 // bytes; longer ones lead only as far
	maxName     = 64  // bytes of a name that is repeated; longer ones are cut
	maxNames    = 5
	maxSorted   = 1000 // findings among which the first are chosen
)

// keywordJSON stands for the syntax of JSON, where there is no keyword.
const keywordJSON = "json"

// finding is one thing that is wrong with a document.
type finding struct {
	pointer, keyword, message string
}

// report writes the first findings, as many as there is room for.
func report(list []finding) string {
	slices.SortStableFunc(list, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.pointer, b.pointer), strings.Compare(a.keyword, b.keyword), strings.Compare(a.message, b.message))
	})
	list = slices.Compact(list)
	b := []byte{'['}
	for i, f := range list[:min(len(list), maxFindings)] {
		one, err := json.Marshal(struct {
			Pointer string `json:"pointer"`
			Keyword string `json:"keyword"`
			Message string `json:"message"`
		}{f.pointer, f.keyword, f.message})
		if err != nil || len(b)+len(one)+2 > MaxReport { // strings always encode
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, one...)
	}
	return string(append(b, ']'))
}

// pointer writes a JSON pointer, up to the last of its tokens that has room.
func pointer(path []string) string {
	var b strings.Builder
	for _, token := range path {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
		if b.Len()+1+len(token) > maxPointer {
			break
		}
		b.WriteByte('/')
		b.WriteString(token)
	}
	return b.String()
}

func index(i int) string { return strconv.Itoa(i) }

// named writes names for a message, the first ones in order.
func named(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	var b strings.Builder
	for i, name := range names {
		if i == maxNames {
			b.WriteString(" and others")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		for len(name) > maxName || !utf8.ValidString(name) {
			name = name[:min(len(name)-1, maxName)]
		}
		b.WriteString(strconv.Quote(name))
	}
	return b.String()
}

// number writes a limit of a schema.
func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(12), "0")
}
