package telemetry

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
)

// FormatOptions say what the lines of an access log hold, and which exchanges get one.
type FormatOptions struct {
	Style           string   // "clf" or "combined": the formats of that name that web servers write; else lines of JSON
	Fields          []string // of JSON lines, in order, out of FieldNames; empty: all but those that have to be named
	RequestHeaders  []string // names of the request's fields, as it went on to the upstream, for "request_headers"
	ResponseHeaders []string // names of the answer's fields, for "response_headers"
	// RedactQuery are names of query parameters whose values are not shown; nil stands for DefaultRedactQuery.
	RedactQuery      []string
	RedactAttributes []string
	// Sample is the share of exchanges that get a line, by the first digit of their status; classes that are not there all do, and so
	// does, below 400, whatever went wrong.
	Sample map[int]float64
	Slow   time.Duration // who takes as long always gets a line; 0: that is no reason
}

// Format is FormatOptions made ready. It is immutable.
type Format struct {
	fields     []appender
	clf        bool
	combined   bool
	request    []captured
	response   []captured
	query      *redactor
	attributes map[string]bool
	sampling   sampling
	ciphers    map[uint16]string
}

// appender adds one field to a line of JSON, with a comma before it, or nothing.
type appender func(l *line)

// NewFormat returns the Format that o asks for. Its error names a field that there is not.
func NewFormat(o FormatOptions) (*Format, error) {
	f := &Format{
		clf: o.Style == "clf" || o.Style == "combined", combined: o.Style == "combined",
		request: capture(o.RequestHeaders), response: capture(o.ResponseHeaders),
		query: newRedactor(o.RedactQuery), attributes: map[string]bool{}, sampling: newSampling(o.Sample, o.Slow), ciphers: map[uint16]string{},
	}
	if o.RedactQuery == nil {
		f.query = newRedactor(DefaultRedactQuery())
	}
	for _, name := range o.RedactAttributes {
		f.attributes[name] = true
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		f.ciphers[suite.ID] = suite.Name
	}
	return f, f.choose(o)
}

// choose sets the fields. Those that would always be empty are left out.
func (f *Format) choose(o FormatOptions) error {
	all := logFields()
	if len(o.Fields) == 0 {
		for _, field := range all {
			if !field.named {
				f.fields = append(f.fields, field.add)
			}
		}
		return nil
	}
	for _, name := range o.Fields {
		found := false
		for _, field := range all {
			if field.name == name {
				f.fields, found = append(f.fields, field.add), true
			}
		}
		if !found {
			return fmt.Errorf("the access log has no field %q", name)
		}
	}
	return nil
}

// write adds the line of x.
func (f *Format) write(l *line, x *exchange.Exchange, share float64) {
	l.x, l.f, l.share = x, f, share
	if f.clf {
		l.writeCLF()
	} else {
		l.writeJSON()
	}
	l.x = nil
}

func (l *line) writeJSON() {
	start := len(l.b)
	for _, add := range l.f.fields {
		add(l)
	}
	if len(l.b) == start {
		l.b = append(l.b, '{')
	} else {
		l.b[start] = '{' // in the place of the first field's comma
	}
	l.b = append(l.b, "}\n"...)
}
