package main

import (
	"unicode/utf8"

	"github.com/sallyport/sallyport/sdk/go"
)

// check says what is wrong with one value; "" for nothing.
func (r *rules) check(value string) (wrong string, err error) {
	if !utf8.ValidString(value) {
		return "is not UTF-8", nil
	}
	switch r.kind {
	case "boolean":
		if value != "true" && value != "false" {
			return "must be true or false", nil
		}
	case "integer", "number":
		if wrong = r.checkNumber(value); wrong != "" {
			return wrong, nil
		}
	case "json":
		return r.checkJSON(value)
	default:
		if wrong = r.checkText(value); wrong != "" {
			return wrong, nil
		}
	}
	for _, allowed := range r.enum {
		if allowed == value {
			return "", nil
		}
	}
	if r.enum != nil {
		return "must be one of the values that are allowed", nil
	}
	return "", nil
}

func (r *rules) checkText(value string) string {
	n := utf8.RuneCountInString(value)
	switch {
	case n < r.minLength:
		return "must be at least " + itoa(r.minLength) + " characters long"
	case n > r.maxLength:
		return "must be at most " + itoa(r.maxLength) + " characters long"
	case r.format != "" && !isFormat(r.format, value):
		return "is not of the format " + r.format
	case r.pattern != nil && !r.pattern.MatchString(value):
		return "does not match the pattern"
	}
	return ""
}

// longestNumber bounds what a client can have compared.
const longestNumber = 400

func (r *rules) checkNumber(value string) string {
	n, ok := parseDecimal(value)
	if !ok || len(value) > longestNumber {
		return "must be " + article(r.kind)
	}
	if r.kind == "integer" && !isInteger(value) {
		return "must be " + article(r.kind)
	}
	if r.format != "" && !n.fits(r.format) {
		return "is not of the format " + r.format
	}
	for _, b := range r.bounds {
		order := n.compare(b.limit)
		if b.upper {
			order = -order
		}
		if order < 0 || order == 0 && b.open {
			return b.message()
		}
	}
	return ""
}

func (b *bound) message() string {
	switch {
	case b.upper && b.open:
		return "must be less than " + b.text
	case b.upper:
		return "must be at most " + b.text
	case b.open:
		return "must be more than " + b.text
	}
	return "must be at least " + b.text
}

func (r *rules) checkJSON(value string) (string, error) {
	wrong, err := sallyport.CheckJSON(r.schema, []byte(value))
	switch {
	case err == sallyport.ErrTooLarge:
		return "is too large", nil
	case err != nil:
		return "", err
	case wrong != nil:
		return "is not as its schema says", nil
	}
	return "", nil
}

func article(kind string) string {
	if kind == "integer" {
		return "an integer"
	}
	return "a number"
}
