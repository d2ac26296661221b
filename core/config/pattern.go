package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// pathPattern reads the path of a route and returns it, "" if it is wrong: literal segments, :name for one segment,
// *name at the end for the rest.
func (v value) pathPattern(dst *string) {
	s, ok := v.text(`a path such as "/orders/:id"`)
	if !ok {
		return
	}
	if wrong := pathFault(s); wrong != "" {
		v.fail("%q %s", s, wrong)
		return
	}
	if wrong := parameterFault(s); wrong != "" {
		v.fail("%q: %s", s, wrong)
		return
	}
	*dst = s
}

// literalPath reads a path without parameters, such as one to strip. A slash at its end is not wanted.
func (v value) literalPath(dst *string) {
	s, ok := v.text(`a path such as "/api"`)
	if !ok {
		return
	}
	switch wrong := pathFault(s); {
	case wrong != "":
		v.fail("%q %s", s, wrong)
	case strings.HasSuffix(s, "/"):
		v.fail("%q must not end with a slash: whole segments are meant anyway", s)
	default:
		*dst = s
	}
}

// pathFault says why s is no path in the one form that paths are matched in; "" if it is.
func pathFault(s string) string {
	if !strings.HasPrefix(s, "/") {
		return "must begin with a slash"
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(s[1:], "/"), "/") {
		switch {
		case segment == "" && len(s) > 1:
			return "has an empty segment, which no request has when it is matched"
		case segment == "." || segment == "..":
			return "has a dot segment, which no request has when it is matched"
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '?' || c == '#':
			return fmt.Sprintf("must not hold %q: only the path is meant", c)
		case c == '%':
			if wrong := escapeFault(s[i:]); wrong != "" {
				return wrong
			}
		case c <= ' ' || c >= 0x7f || c == '\\':
			return "holds a character that must be percent-encoded"
		}
	}
	return ""
}

// escapeFault says why the escape that s begins with is not in the form that a path has when it is matched.
func escapeFault(s string) string {
	s = s[:min(3, len(s))]
	decoded, err := url.PathUnescape(s)
	switch {
	case err != nil:
		return fmt.Sprintf("has %q, which is no percent-encoding", s)
	case decoded == "\x00":
		return "has %00, which no request may have"
	case isUnreserved(decoded[0]):
		return fmt.Sprintf("has %s: write %s, as it stands in a request when it is matched", s, decoded)
	case s != strings.ToUpper(s):
		return fmt.Sprintf("has %s: write %s, as it stands in a request when it is matched", s, strings.ToUpper(s))
	}
	return ""
}

func isUnreserved(c byte) bool { return isBareByte(c) || c == '.' || c == '~' }

// parameterFault says what is wrong with the parameters of a pattern; "" if nothing is.
func parameterFault(s string) string {
	var names []string
	segments := strings.Split(s[1:], "/")
	for i, segment := range segments {
		at := strings.IndexAny(segment, ":*")
		if at < 0 {
			continue
		}
		name := segment[at+1:]
		switch {
		case segment[at] == '*' && (at > 0 || i < len(segments)-1):
			return "*" + name + " must be the whole of the last segment"
		case name == "":
			return "a parameter needs a name behind " + segment[at:at+1]
		case strings.ContainsAny(name, ":*"):
			return "a segment can have one parameter only"
		case slices.Contains(names, name):
			return fmt.Sprintf("two parameters are called %q", name)
		}
		names = append(names, name)
	}
	return ""
}

// parameters returns the names of a pattern's parameters.
func parameters(pattern string) []string {
	var names []string
	for segment := range strings.SplitSeq(pattern, "/") {
		if at := strings.IndexAny(segment, ":*"); at >= 0 {
			names = append(names, segment[at+1:])
		}
	}
	return names
}

// checkTemplate notes what a template wants to use and the route's path does not have as a parameter.
func (v value) checkTemplate(template, path string) {
	known := parameters(path)
	for _, name := range templateParameters(template) {
		if !slices.Contains(known, name) {
			v.fail("the route's path has no parameter %q%s", name, didYouMean(name, known))
		}
	}
}

// templateParameters returns the names of the parameters that a template uses: each begins with ":" or "*" behind a
// "/", "=" or "&", so that a URL's port is none.
func templateParameters(template string) []string {
	var names []string
	for i := 1; i < len(template); i++ {
		if c := template[i]; c != ':' && c != '*' || strings.IndexByte("/=&", template[i-1]) < 0 {
			continue
		}
		name := template[i+1:]
		if end := strings.IndexAny(name, "/?&#"); end >= 0 {
			name = name[:end]
		}
		names = append(names, name)
	}
	return names
}

// template reads a path that may use :name and *name parameters of the route, and may have a query.
func (v value) template(dst *string) {
	s, ok := v.text(`a path such as "/v2/orders/:id"`)
	if !ok {
		return
	}
	path, query, _ := strings.Cut(s, "?")
	if wrong := pathFault(path); wrong != "" {
		v.fail("%q %s", s, wrong)
		return
	}
	if !isVisible(query) || strings.Contains(query, "#") {
		v.fail("%q: its query holds a character that must be percent-encoded", s)
		return
	}
	if slices.Contains(templateParameters(s), "") {
		v.fail("%q: a parameter needs a name", s)
		return
	}
	*dst = s
}

func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
