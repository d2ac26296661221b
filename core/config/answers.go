package config

import (
	"net/url"
	"slices"
	"strings"
)

// readRedirect reads a place to go to, alone or with its status.
func readRedirect(v value) *Redirect {
	r := &Redirect{Status: 302}
	if !v.holdsKeys() {
		readTarget(v, &r.To)
		return r
	}
	redirectKeys().read(v, r)
	v.need("to", "a URL or a path to go to")
	return r
}

func redirectKeys() keys[Redirect] {
	return keys[Redirect]{
		{"to", func(v value, r *Redirect) { readTarget(v, &r.To) }},
		{"status", func(v value, r *Redirect) { readRedirectStatus(v, &r.Status) }},
	}
}

func readRedirectStatus(v value, dst *int) {
	n := *dst
	integer(v, &n, 300, 399)
	if !slices.Contains([]int{301, 302, 303, 307, 308}, n) {
		v.fail("%d is no redirect with a Location: 301, 302, 303, 307 or 308", n)
		return
	}
	*dst = n
}

// readTarget reads an absolute http or https URL, or a path.
func readTarget(v value, dst *string) {
	s, ok := v.text(`a URL or a path, such as "https://example.com/new"`)
	if !ok {
		return
	}
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		v.template(dst)
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !isVisible(s) || slices.Contains(templateParameters(s), "") {
		v.fail("%q is neither a path nor a URL that begins with http:// or https://", s)
		return
	}
	*dst = s
}

func readRespond(v value) *Respond {
	r := &Respond{Status: 200}
	respondKeys().read(v, r)
	if r.Body != "" && (r.Status == 204 || r.Status == 304) {
		v.child("body").fail("an answer with status %d has no body", r.Status)
	}
	return r
}

func respondKeys() keys[Respond] {
	return keys[Respond]{
		{"status", func(v value, r *Respond) { integer(v, &r.Status, 200, 599) }},
		{"body", func(v value, r *Respond) { readBody(v, &r.Body) }},
		{"headers", func(v value, r *Respond) { v.fieldList(&r.Headers) }},
	}
}

// readBody reads a string that may be empty.
func readBody(v value, dst *string) {
	s, ok := v.raw.(string)
	if !ok {
		v.wrongType("a string: the answer's body")
		return
	}
	*dst = s
}
