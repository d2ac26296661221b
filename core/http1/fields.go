package http1

import "github.com/sallyport/sallyport/core/header"

// parseFields reads the field lines of head from at on, up to and including the empty line that ends it. End-to-end
// fields are added to fields.
func (a *acted) parseFields(head string, at, limit int, fields *header.Fields) refusal {
	for count := 1; ; count++ {
		if at < len(head) && head[at] == '\r' {
			break
		}
		name, value, next, why := parseField(head, at)
		if why != accepted {
			return why
		}
		if limit > 0 && count > limit {
			return tooManyFields
		}
		at = next
		switch r := roleOf(name); r {
		case endToEnd, roleDate:
			fields.Add(name, value)
		default:
			if why := a.note(r, value); why != accepted {
				return why
			}
		}
	}
	if head[at:] != "\r\n" {
		return bareLF
	}
	return a.finishConnection(fields)
}

// parseField reads one field line. The index it returns is just past the line.
func parseField(head string, at int) (name, value string, next int, why refusal) {
	colon := skip(head, at, isToken)
	if colon == at || colon == len(head) || head[colon] != ':' {
		return "", "", 0, whyNoName(head, at, colon)
	}
	i := colon + 1
	for i < len(head) && (head[i] == ' ' || head[i] == '\t') {
		i++
	}
	end := findControl(head, i)
	for end < len(head) && head[end] == '\t' {
		end = findControl(head, end+1)
	}
	if end+1 >= len(head) || head[end] != '\r' || head[end+1] != '\n' {
		return "", "", 0, whyNoValue(head, end)
	}
	next = end + 2
	for end > i && (head[end-1] == ' ' || head[end-1] == '\t') {
		end--
	}
	return head[at:colon], head[i:end], next, accepted
}

func whyNoName(head string, at, colon int) refusal {
	switch {
	case colon == len(head):
		return unfinishedHead
	case colon == at && (head[at] == ' ' || head[at] == '\t'):
		return foldedField
	case colon > at && (head[colon] == ' ' || head[colon] == '\t'):
		return spaceBeforeColon
	case head[colon] == '\n':
		return bareLF
	}
	return badName
}

func whyNoValue(head string, end int) refusal {
	switch {
	case end+1 >= len(head):
		return unfinishedHead
	case head[end] == '\n':
		return bareLF
	}
	return badValue
}
