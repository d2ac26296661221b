package main

import (
	"errors"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/setting"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// parameter is what one parameter may be.
type parameter struct {
	name     string
	in       place
	required bool
	style    string
	explode  bool
	array    bool
	minItems int
	maxItems int
	unique   bool
	value    rules // of each element, if it is an array
	found    int   // in the query or the cookies of this request; of a header, its doubles
}

// rules are what a single value may be.
type rules struct {
	kind         string
	format       string
	bounds       []bound
	minLength    int
	maxLength    int
	pattern      *regexp.Regexp
	enum         []string
	schema       string
	hasMinLength bool
}

// bound is a limit of numbers.
type bound struct {
	text  string
	limit decimal
	upper bool
	open  bool // the limit itself is beyond it
}

const anyLength = 1 << 30

func (s *settings) readParameter(v *config.Value) error {
	p := newParameter{parameter: parameter{maxItems: 1000, value: rules{kind: "string", maxLength: anyLength}}, exploded: -1}
	err := v.Object(p.read)
	switch {
	case err != nil:
		return err
	case p.array && p.outside:
		return errors.New("is an array: what its elements may be belongs into items")
	case p.items && !p.array:
		return errors.New("has items, but is no array")
	}
	if err := p.complete(p.exploded); err != nil {
		return err
	}
	for _, other := range s.parameters {
		if other.in == p.in && (other.name == p.name || p.in == inHeader && field.Equal(other.name, p.name)) {
			return errors.New("is a parameter that is there already")
		}
	}
	s.headers, s.cookies = s.headers || p.in == inHeader, s.cookies || p.in == inCookie
	s.parameters = append(s.parameters, p.parameter)
	return nil
}

// newParameter is one that is being read, with what was said about it.
type newParameter struct {
	parameter
	exploded int  // as it was said, 1 or 0; -1: nothing was
	items    bool // what its elements are
	outside  bool // what a single value is
}

func (p *newParameter) read(key string, v *config.Value) error {
	switch key {
	case "name":
		return setting.Name(v, &p.name)
	case "in":
		return p.readPlace(v)
	case "required":
		return v.Bool(&p.required)
	case "style":
		return oneOf(v, &p.style, "simple", "form", "spaceDelimited", "pipeDelimited")
	case "explode":
		return p.readExplode(v)
	case "type":
		return p.readType(v)
	case "items":
		p.items = true
		return v.Object(p.value.read)
	case "min_items":
		return v.Int(&p.minItems, 0, 100_000)
	case "max_items":
		return v.Int(&p.maxItems, 0, 100_000)
	case "unique_items":
		return v.Bool(&p.unique)
	}
	p.outside = true
	return p.value.read(key, v)
}

func (p *newParameter) readPlace(v *config.Value) error {
	var in string
	err := oneOf(v, &in, "path", "query", "header", "cookie")
	for p.in = inPath; err == nil && p.in.String() != in; p.in++ {
	}
	return err
}

func (p *newParameter) readExplode(v *config.Value) error {
	var exploded bool
	err := v.Bool(&exploded)
	p.exploded = 0
	if exploded {
		p.exploded = 1
	}
	return err
}

func (p *newParameter) readType(v *config.Value) error {
	var kind string
	err := oneOf(v, &kind, "string", "integer", "number", "boolean", "json", "array")
	if p.array = kind == "array"; !p.array {
		p.value.kind = kind
	}
	return err
}

// complete fills in what goes without saying, as OpenAPI has it, and refuses what contradicts itself.
func (p *parameter) complete(explode int) error {
	usual := "simple"
	if p.in == inQuery || p.in == inCookie {
		usual = "form"
	}
	if p.style == "" {
		p.style = usual
	}
	p.explode = explode == 1 || explode < 0 && p.style == "form" && p.in == inQuery
	delimited := p.style == "spaceDelimited" || p.style == "pipeDelimited"
	switch {
	case p.name == "":
		return errors.New("must have a name")
	case p.in == inHeader && !field.IsToken(p.name):
		return errors.New("must have the name of a header")
	case p.in == inHeader && field.Belongs(p.name):
		return errors.New("must not be a header that belongs to the connection")
	case p.style != usual && !(delimited && p.in == inQuery):
		return errors.New("has a style that does not go with where it is")
	case delimited && explode == 1, p.in == inCookie && explode == 1:
		return errors.New("cannot be exploded: the style has no such form")
	case p.minItems > p.maxItems:
		return errors.New("must not have min_items greater than max_items")
	}
	p.required = p.required || p.in == inPath
	return p.value.complete()
}

func (r *rules) read(key string, v *config.Value) error {
	switch key {
	case "type":
		return oneOf(v, &r.kind, "string", "integer", "number", "boolean", "json")
	case "format":
		return oneOf(v, &r.format, formatNames...)
	case "minimum":
		return r.readBound(v, false, false)
	case "maximum":
		return r.readBound(v, true, false)
	case "exclusive_minimum":
		return r.readBound(v, false, true)
	case "exclusive_maximum":
		return r.readBound(v, true, true)
	case "min_length":
		r.hasMinLength = true
		return v.Int(&r.minLength, 0, anyLength)
	case "max_length":
		return v.Int(&r.maxLength, 0, anyLength)
	case "pattern":
		return r.readPattern(v)
	case "enum":
		r.enum = []string{} // there, though empty
		return v.Strings(&r.enum)
	case "schema":
		return setting.Granted(v, &r.schema, "schema")
	}
	return nil
}

// readBound takes an integer, or a string for a number with a fraction.
func (r *rules) readBound(v *config.Value, upper, open bool) error {
	var text string
	if v.String(&text) != nil {
		var n int
		if err := v.Int(&n, -1<<31+1, 1<<31-1); err != nil {
			return errors.New("must be an integer, or a number in a string")
		}
		text = itoa(n)
	}
	limit, ok := parseDecimal(text)
	if !ok {
		return errors.New("must be an integer, or a number in a string")
	}
	r.bounds = append(r.bounds, bound{text, limit, upper, open})
	return nil
}

func (r *rules) readPattern(v *config.Value) error {
	var text string
	err := v.String(&text)
	if err != nil {
		return err
	}
	if r.pattern, err = regexp.Compile(text); err != nil {
		return errors.New("must be a regular expression as RE2 has them: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return nil
}

func (r *rules) complete() error {
	isNumber := r.kind == "integer" || r.kind == "number"
	isText := r.kind == "string"
	switch {
	case len(r.bounds) > 0 && !isNumber:
		return errors.New("has bounds, but is no number")
	case (r.hasMinLength || r.maxLength != anyLength || r.pattern != nil) && !isText:
		return errors.New("has min_length, max_length or pattern, but is no string")
	case r.minLength > r.maxLength:
		return errors.New("must not have min_length greater than max_length")
	case r.format != "" && isText == (r.format == "int32" || r.format == "int64"), r.format != "" && !isText && r.kind != "integer":
		return errors.New("has a format that does not go with its type")
	case (r.schema != "") != (r.kind == "json"):
		return errors.New("has a schema without being of type json, or the other way round")
	case r.enum != nil && (len(r.enum) == 0 || r.kind == "json"):
		return errors.New("must have values in enum, and a type other than json")
	}
	return nil
}
