// Package credential finds what a client shows to be let in, a key or a token, in a header, the query or a cookie, and hides
// it from the upstream.
package credential

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/percent"
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

// Places are where a credential is looked for, as options of a plugin say.
type Places struct {
	Header string // "" for none
	Scheme string // what stands before it in the header, such as Bearer; "" for nothing
	Query  string // name of a parameter; "" for none
	Cookie string // "" for none
	Hide   bool
}

// Read reads a key of the plugin's configuration if it is one of Places'; others are left unread.
func (p *Places) Read(key string, v *config.Value) error {
	switch key {
	case "header":
		if v.IsBool() {
			return readOff(v, &p.Header)
		}
		return field.ReadName(v, &p.Header)
	case "scheme":
		return readScheme(v, &p.Scheme)
	case "query":
		return readParameter(v, &p.Query)
	case "cookie":
		err := field.ReadName(v, &p.Cookie)
		if err != nil {
			err = errors.New("must be the name of a cookie")
		}
		return err
	case "hide":
		return v.Bool(&p.Hide)
	}
	return nil
}

// Check reports what is wrong with all of them together.
func (p *Places) Check() error {
	switch {
	case p.Header == "" && p.Query == "" && p.Cookie == "":
		return errors.New("must have a header, a query or a cookie to look at")
	case field.Equal(p.Header, "Cookie"):
		return errors.New("/header must not be Cookie: name the cookie as cookie")
	}
	return nil
}

func readOff(v *config.Value, dst *string) error {
	var on bool
	if err := v.Bool(&on); err != nil {
		return err
	}
	if on {
		return errors.New("must be the name of a header, or false")
	}
	*dst = ""
	return nil
}

func readScheme(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	if *dst != "" && !field.IsToken(*dst) {
		return errors.New("must be one word, such as Bearer")
	}
	return nil
}

func readParameter(v *config.Value, dst *string) error {
	if err := v.String(dst); err != nil {
		return err
	}
	for i := range len(*dst) {
		if c := (*dst)[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("must be visible ASCII without quotes")
		}
	}
	if *dst == "" {
		return errors.New("must not be empty")
	}
	return nil
}

// Challenge appends the places to a challenge, as its parameters (RFC 9110, section 11.6.1).
func (p *Places) Challenge(scheme string) string {
	b, separator := scheme, " "
	for _, place := range [...][2]string{{"header", p.Header}, {"query", p.Query}, {"cookie", p.Cookie}} {
		if place[1] != "" {
			b += separator + place[0] + `="` + place[1] + `"`
			separator = ", "
		}
	}
	return b
}

// Finder finds the credential of one request after the other. What it returns is valid until the next one.
type Finder struct {
	Places
	value   []byte // the last one found
	decoded []byte // room for names of query parameters
	count   int
	headers int  // fields named Header
	header  bool // one of them held it
}

// Begin forgets the request before.
func (f *Finder) Begin() { f.value, f.count, f.headers, f.header = f.value[:0], 0, 0, false }

// See looks at one of the request's headers.
func (f *Finder) See(name, value []byte) {
	switch {
	case f.Header != "" && field.Equal(name, f.Header):
		f.headers++
		if rest, ok := afterScheme(value, f.Scheme); ok {
			f.take(rest)
			f.header = true
		}
	case f.Cookie != "" && field.Equal(name, "Cookie"):
		f.seeCookies(value)
	}
}

// SeeQuery looks at the request's query, which is the last place.
func (f *Finder) SeeQuery(r *sallyport.Request) {
	if f.Query == "" {
		return
	}
	raw, _ := r.Bytes(sallyport.FieldQuery)
	for len(raw) > 0 {
		var pair []byte
		pair, raw = cut(raw, '&')
		name, value := cut(pair, '=')
		f.decoded = percent.AppendDecoded(f.decoded[:0], name)
		if string(f.decoded) == f.Query {
			f.count++
			f.value = percent.AppendDecoded(f.value[:0], value)
		}
	}
}

// Found returns the credential and how many there were. More than one, or a header that is there twice, leaves it open which one the
// upstream would take.
func (f *Finder) Found() (value string, count int) {
	if f.headers > 1 {
		return "", 2
	}
	return field.View(f.value), f.count
}

func (f *Finder) take(value []byte) {
	f.count++
	f.value = append(f.value[:0], value...)
}

// seeCookies looks at a Cookie field (RFC 6265, section 4.2.1). Names are told apart by case.
func (f *Finder) seeCookies(cookies []byte) {
	for len(cookies) > 0 {
		var pair []byte
		pair, cookies = cut(cookies, ';')
		if value, ok := f.ofCookie(pair); ok {
			f.take(value)
		}
	}
}

// ofCookie returns the value of a pair if it is the cookie that is looked for.
func (f *Finder) ofCookie(pair []byte) ([]byte, bool) {
	name, value := cut(trim(pair), '=')
	if string(trim(name)) != f.Cookie {
		return nil, false
	}
	value = trim(value)
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	return value, true
}

// afterScheme returns what follows the scheme and its space, which compares without regard to case (RFC 9110, section 11.1).
func afterScheme(value []byte, scheme string) ([]byte, bool) {
	if scheme == "" {
		return value, true
	}
	n := len(scheme)
	if len(value) < n || !field.Equal(value[:n], scheme) || len(value) > n && value[n] != ' ' {
		return nil, false
	}
	return trim(value[n:]), true
}

// Remove takes the credential out of the request, from all places, if it is to be hidden.
func (f *Finder) Remove(r *sallyport.Request) error {
	if !f.Hide || f.count == 0 {
		return nil
	}
	if f.header {
		if err := r.Headers.Remove(f.Header); err != nil {
			return err
		}
	}
	// To call the two for nothing would cost a TinyGo guest two allocations: what their loops capture is on the heap.
	if f.Cookie != "" {
		if err := f.removeCookie(r.Headers); err != nil {
			return err
		}
	}
	if f.Query != "" {
		return f.removeQuery(r)
	}
	return nil
}

func (f *Finder) removeCookie(h sallyport.Headers) error {
	var kept strings.Builder
	removed := false
	for _, cookies := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(cookies, ";") {
			if _, ok := f.ofCookie([]byte(pair)); ok {
				removed = true
				continue
			}
			if kept.Len() > 0 {
				kept.WriteString("; ")
			}
			kept.WriteString(strings.TrimSpace(pair))
		}
	}
	switch {
	case !removed:
		return nil
	case kept.Len() == 0:
		return h.Remove("Cookie")
	}
	return h.Set("Cookie", kept.String())
}

func (f *Finder) removeQuery(r *sallyport.Request) error {
	query := r.Query()
	kept := make([]byte, 0, len(query))
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if f.decoded = percent.AppendDecoded(f.decoded[:0], []byte(name)); string(f.decoded) == f.Query {
			continue
		}
		if len(kept) > 0 {
			kept = append(kept, '&')
		}
		kept = append(kept, pair...)
	}
	if len(kept) == len(query) {
		return nil
	}
	return r.SetQuery(string(kept))
}

// cut returns what is before and after the first sep.
func cut(b []byte, sep byte) (before, after []byte) {
	for i, c := range b {
		if c == sep {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
