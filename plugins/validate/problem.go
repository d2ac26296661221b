package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

// fault is one thing that is wrong with a request.
type fault struct {
	in            place
	name, message string
	listed        string // a JSON array of faults, as the gateway found them in the body
}

// The bounds of what a client is told.
const (
	maxFaults = 32
	maxName   = 64 // bytes of a name that a client made up
)

func (s *settings) fault(in place, name, message string) {
	if len(s.faults) == maxFaults {
		return
	}
	if len(name) > maxName {
		name = name[:maxName]
	}
	s.faults = append(s.faults, fault{in: in, name: name, message: message})
}

// refuse answers with all that is wrong (RFC 9457).
func (s *settings) refuse(r *sallyport.Request, status int) (sallyport.Verdict, error) {
	if err := errors.Join(s.count(), r.SetAttr(refuse.Attr, s.faults[0].told())); err != nil {
		return sallyport.Continue, err
	}
	b := append(make([]byte, 0, 512), `{"type":"about:blank","title":"`...)
	b = append(append(b, title(status)...), `","status":`...)
	b = append(append(b, itoa(status)...), `,"request_id":`...)
	b = append(appendQuoted(b, r.ID()), `,"errors":[`...)
	for i := range s.faults {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.faults[i].append(b)
	}
	b = append(b, "]}\n"...)
	headers := []sallyport.Header{{Name: "Content-Type", Value: "application/problem+json"}}
	if status == 415 {
		headers = append(headers, sallyport.Header{Name: "Accept", Value: strings.Join(s.body.types, ", ")})
	}
	return r.Respond(status, b, headers...)
}

func (f *fault) append(b []byte) []byte {
	if f.listed != "" {
		inner := f.listed[1 : len(f.listed)-1]
		return append(b, strings.ReplaceAll(inner, `{"pointer":`, `{"in":"body","pointer":`)...)
	}
	b = append(append(b, `{"in":"`...), f.in.String()...)
	b = append(b, '"')
	if f.in == inBody {
		b = append(b, `,"pointer":""`...)
	} else {
		b = appendQuoted(append(b, `,"name":`...), f.name)
	}
	return append(appendQuoted(append(b, `,"message":`...), f.message), '}')
}

// told is a fault in a line, for operators. Of what is wrong in the body it is the first.
func (f *fault) told() string {
	if f.listed == "" {
		return printable(f.where() + " " + f.message)
	}
	_, pointer, _ := strings.Cut(f.listed, `"pointer":"`)
	_, message, _ := strings.Cut(f.listed, `"message":"`)
	pointer, _, _ = strings.Cut(pointer, `"`)
	message, _, _ = strings.Cut(message, `"`)
	if len(pointer) > maxName {
		pointer = pointer[:maxName]
	}
	if pointer != "" {
		pointer += " "
	}
	return printable("body " + pointer + message)
}

func (f *fault) where() string {
	if f.name == "" {
		return f.in.String()
	}
	return f.in.String() + "." + f.name
}

// appendQuoted appends a JSON string; what is not ASCII, which no name that is told can be, becomes a question mark.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '?')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// count adds to the metric once for each part of the request that is wrong.
func (s *settings) count() error {
	var seen [places]bool
	for i := range s.faults {
		if in := s.faults[i].in; !seen[in] {
			seen[in] = true
			if err := s.failures[in].Add(1); err != nil {
				return err
			}
		}
	}
	return nil
}

// report lets everybody know but the client.
func (s *settings) report(r *sallyport.Request) error {
	if err := s.count(); err != nil {
		return err
	}
	var b []byte
	for i := range s.faults {
		b = append(s.faults[i].append(b), ' ')
	}
	sallyport.Log(sallyport.Warn, "would be refused: "+string(b))
	return r.SetAttr("validate", printable(s.faults[0].where()))
}

// printable is a text that can be an attribute.
func printable(s string) string {
	q := appendQuoted(nil, s)
	return string(q[1 : len(q)-1])
}

func title(status int) string {
	switch status {
	case 413:
		return "Content Too Large"
	case 415:
		return "Unsupported Media Type"
	case 422:
		return "Unprocessable Content"
	}
	return "Bad Request"
}
