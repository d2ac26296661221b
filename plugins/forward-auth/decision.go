package main

import (
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/identity"
	"github.com/sallyport/sallyport/sdk/go"
)

// decision is what is to become of a request: what matters of the service's answer.
type decision struct {
	status  int
	headers []sallyport.Header // for the upstream, consumer and groups under identity's names; of a refusal, for the client
	body    string             // of a refusal
}

func (d *decision) allows() bool { return d.status >= 200 && d.status < 300 }

// longest is how many bytes an attribute can have.
const longest = 4096

// decide makes a decision of an answer, or says why it is none.
func (s *settings) decide(a sallyport.Answer) (d decision, why string) {
	d.status = a.Status()
	switch {
	case d.allows():
		why = s.takeIdentity(&d, a.Headers)
		d.take(a.Headers, s.take)
		return d, why
	case d.status >= 400 && d.status < 500:
	case d.status >= 300 && d.status < 400 && d.status != 304 && a.Headers.Has("Location"):
	default:
		return d, "the service answers with " + strconv.Itoa(d.status)
	}
	d.take(a.Headers, s.pass)
	if s.body {
		body, err := a.Body.Bytes()
		if err != nil {
			return d, err.Error()
		}
		d.body = string(body)
	}
	return d, ""
}

// take adds headers of the answer.
func (d *decision) take(h sallyport.Headers, names []string) {
	for _, name := range names {
		for _, value := range h.Values(name) {
			d.headers = append(d.headers, sallyport.Header{Name: name, Value: value})
		}
	}
}

// takeIdentity notes who the request is from. Two names are none.
func (s *settings) takeIdentity(d *decision, h sallyport.Headers) (why string) {
	for _, told := range [...][2]string{{identity.Header, s.consumer}, {identity.GroupsHeader, s.groups}} {
		if told[1] == "" {
			continue
		}
		values := h.Values(told[1])
		if len(values) == 0 || values[0] == "" && len(values) == 1 {
			continue
		}
		if len(values) > 1 || len(values[0]) > longest || !field.IsValue(values[0]) {
			return "the service answers with a " + told[1] + " that cannot be used"
		}
		d.headers = append(d.headers, sallyport.Header{Name: told[0], Value: values[0]})
	}
	return ""
}

// encode writes a decision as it is kept: the status, a line for each header, an empty line, the body.
func (d *decision) encode() []byte {
	b := strconv.AppendInt(nil, int64(d.status), 10)
	b = append(b, '\n')
	for _, h := range d.headers {
		b = append(append(append(append(b, h.Name...), ':'), h.Value...), '\n')
	}
	return append(append(b, '\n'), d.body...)
}

// decode reads what encode has written, and takes nothing else for a decision.
func decode(text string) (d decision, ok bool) {
	line, rest, ok := strings.Cut(text, "\n")
	if !ok || len(line) != 3 {
		return d, false
	}
	for i := range line {
		if line[i] < '0' || line[i] > '9' {
			return d, false
		}
		d.status = d.status*10 + int(line[i]-'0')
	}
	for {
		if line, rest, ok = strings.Cut(rest, "\n"); !ok {
			return d, false
		}
		if line == "" {
			d.body = rest
			return d, d.status >= 200 && d.status < 500
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return d, false
		}
		d.headers = append(d.headers, sallyport.Header{Name: name, Value: value})
	}
}
