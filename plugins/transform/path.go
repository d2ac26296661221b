package main

import (
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/percent"
	"github.com/sallyport/sallyport/sdk/go"
)

// rewritePath sets the path. A value that is not there, or leads up, makes it another one than was meant: 400.
func (s *settings) rewritePath(c context) (status int, err error) {
	b := s.scratch[:0]
	for i := range s.path {
		p := &s.path[i]
		text, ok := p.pathText(c)
		switch {
		case !ok:
			return 400, nil
		case p.from == literal || p.isPath():
			b = append(b, text...)
		default:
			if p.from == ofSegments && strings.HasSuffix(string(b), "/") {
				text = strings.TrimPrefix(text, "/") // a wildcard's value begins with the slash ahead of it
			}
			b = percent.AppendEncoded(b, text, p.from == ofSegments)
		}
	}
	s.scratch = b
	path := string(b)
	if leadsAstray(path) {
		return 400, nil
	}
	switch err = c.request.SetPath(path); err {
	case sallyport.ErrTooLarge:
		return 414, nil
	case sallyport.ErrInvalid: // "*" as the path, say
		return 400, nil
	}
	return 0, err
}

func (p *piece) isPath() bool { return p.from == ofField && p.number == sallyport.FieldPath }

// pathText returns a piece as it is to stand in a path, and whether it can. Only what segments take may be empty, where a wildcard took nothing.
func (p *piece) pathText(c context) (text string, ok bool) {
	if p.from == literal {
		return p.name, true
	}
	if text = p.lookup(c); text == "" {
		text = p.fallback
	}
	ok = printable(text) && (text != "" || p.from == ofSegments) && (!p.isPath() || text[0] == '/')
	return text, ok
}

// leadsAstray reports whether the gateway would make another path of it: one with dot segments or empty ones, except at its end.
func leadsAstray(path string) bool {
	if path == "" || path[0] != '/' {
		return true
	}
	for segment, rest := "", path[1:]; rest != ""; {
		segment, rest, _ = strings.Cut(rest, "/")
		if segment == "" || segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
