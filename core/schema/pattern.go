package schema

import (
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// pattern is a regular expression whose work is counted: by the text's length, and by the expression's own, since in the worst case all of
// it is looked at for each character.
type pattern struct {
	*regexp.Regexp
	m    *meter
	cost int64 // of a byte
}

// smallPattern is how many instructions cost as much as one.
const smallPattern = 8

func (m *meter) compilePattern(text string) (jsonschema.Regexp, error) {
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{compiled, m, costText}
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		if program, err := syntax.Compile(tree.Simplify()); err == nil {
			p.cost += int64(len(program.Inst)/smallPattern) * costText
		}
	}
	return p, nil
}

// MatchString is part of jsonschema.Regexp.
func (p *pattern) MatchString(s string) bool {
	p.m.spend(costNumber + p.cost*int64(len(s)))
	return p.Regexp.MatchString(s)
}
