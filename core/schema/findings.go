package schema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// findings flattens what the library found. Of alternatives it tells only that none holds: the reasons would be many, and mostly beside the point.
func findings(err error, m *meter) (list []finding) {
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return []finding{{"", keywordJSON, "is not valid"}}
	}
	collect(failed, m, &list)
	return list
}

func collect(e *jsonschema.ValidationError, m *meter, list *[]finding) {
	if len(*list) >= maxSorted {
		return
	}
	m.spend(costFinding)
	switch e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		for _, cause := range e.Causes {
			collect(cause, m, list)
		}
		return
	}
	*list = append(*list, describe(e))
}

// describe says in plain words what is wrong at one place.
func describe(e *jsonschema.ValidationError) finding {
	f := finding{pointer: pointer(e.InstanceLocation)}
	if path := e.ErrorKind.KeywordPath(); len(path) > 0 {
		f.keyword = path[0]
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Format:
		f.keyword, f.message = asserted(k)
	case *kind.FalseSchema:
		f.keyword, f.message = "false", "must not be there"
	case *kind.Not:
		f.keyword, f.message = "not", "is of a form that is not allowed"
	case *kind.Type:
		f.message = "must be " + strings.Join(k.Want, " or ")
	case *kind.AnyOf:
		f.message = "matches none of the alternatives"
	case *kind.OneOf:
		if f.message = "matches none of the alternatives"; k.Subschemas != nil {
			f.message = "matches more than one of the alternatives"
		}
	case *kind.RefCycle:
		f.keyword, f.message = "$ref", "leads round in a circle"
	default:
		f.message = counted(e.ErrorKind)
		if f.message == "" {
			f.message = other(e.ErrorKind)
		}
	}
	return f
}

// asserted tells of what is checked in the place of a format: see rule.
func asserted(k *kind.Format) (keyword, message string) {
	var found *mismatch
	if errors.As(k.Err, &found) {
		return found.keyword, found.message
	}
	return "format", "is not of the format"
}

// counted describes what was compared with a number; "" for other kinds.
func counted(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d members", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %d members", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d elements", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d elements", k.Want)
	case *kind.MinContains:
		return fmt.Sprintf("must have at least %d elements of a certain form", k.Want)
	case *kind.MaxContains:
		return fmt.Sprintf("must have at most %d elements of a certain form", k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("must be at least %d characters long", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must be at most %d characters long", k.Want)
	case *kind.Minimum:
		return "must be at least " + number(k.Want)
	case *kind.Maximum:
		return "must be at most " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	}
	return ""
}

func other(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Required:
		return "must have " + named(k.Missing)
	case *kind.Dependency:
		return "must have " + named(k.Missing)
	case *kind.DependentRequired:
		return "must have " + named(k.Missing)
	case *kind.AdditionalProperties:
		return "must not have " + named(k.Properties)
	case *kind.AdditionalItems:
		return fmt.Sprintf("has %d elements too many", k.Count)
	case *kind.PropertyNames:
		return "must not have a member named " + named([]string{k.Property})
	case *kind.UniqueItems:
		return "must not have the same element twice"
	case *kind.Contains:
		return "must have an element of a certain form"
	case *kind.Pattern:
		return "does not match the pattern"
	case *kind.Enum, *kind.Const:
		return "must be one of the values that are allowed"
	}
	return "is not valid"
}
