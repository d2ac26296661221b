//go:build !wasm && !tinygo.wasm

package host

import "strings"

// message returns the fields behind a handle, or a code.
func message(msg uint32) (*Fields, int32) {
	if !inHook() {
		return nil, wrongPhase
	}
	return fieldsOf(msg)
}

func fieldsOf(msg uint32) (*Fields, int32) {
	switch {
	case msg == 0:
		return &current.x.Request, 0
	case msg == 1:
		return &current.x.Response, 0
	case msg == 2:
		return &current.x.RequestTrailers, complete(0)
	case msg == 3:
		return &current.x.ResponseTrailers, complete(1)
	case msg >= firstFetch:
		return answerFields(msg)
	}
	return nil, invalid
}

// changeable returns 0 if a message is one that hooks may change, else a code.
func changeable(msg uint32) int32 {
	_, code := fieldsOf(msg)
	switch {
	case msg >= firstFetch:
		return invalid
	case msg == 2 || msg == 3:
		return wrongPhase
	}
	return code
}

// writable is message for functions that change it.
func writable(msg uint32, name, value string) (*Fields, int32) {
	if !inHead() {
		return nil, wrongPhase
	}
	if code := changeable(msg); code < 0 {
		return nil, code
	}
	fields, _ := message(msg)
	switch {
	case msg == 0 && current.phase != InRequest:
		return nil, wrongPhase
	case len(name) > 256 || len(value) > 16<<10:
		return nil, tooLarge
	case !token(name) || !printable(value) || connectionField(name):
		return nil, invalid
	}
	return fields, 0
}

func isHost(name string) bool { return strings.EqualFold(name, "host") }

// HeaderGet is the host function header_get.
func HeaderGet(msg uint32, name string, buf []byte) int32 {
	fields, code := message(msg)
	switch {
	case code < 0:
		return code
	case len(name) > maxName:
		return tooLarge
	case msg == 0 && isHost(name):
		return read(current.x.Host, buf)
	}
	values := fields.Values(name)
	if len(values) == 0 || connectionField(name) {
		return notFound
	}
	return read(values[0], buf)
}

// HeaderAll is the host function header_all.
func HeaderAll(msg uint32, name string, buf []byte) int32 {
	fields, code := message(msg)
	switch {
	case code < 0:
		return code
	case len(name) > maxName:
		return tooLarge
	}
	var list []Field
	for _, f := range *fields {
		if !connectionField(f.Name) && (name == "" || strings.EqualFold(f.Name, name)) {
			list = append(list, f)
		}
	}
	if msg == 0 && isHost(name) {
		list = []Field{{"Host", current.x.Host}}
	}
	return read(string(encodeList(list)), buf)
}

// HeaderSet is the host function header_set.
func HeaderSet(msg uint32, name, value string) int32 {
	fields, code := writable(msg, name, value)
	switch {
	case code < 0:
		return code
	case msg == 0 && isHost(name):
		return Set(3, value)
	case isHost(name):
		return invalid
	}
	if !roomFor(fields, name, value, true) {
		return tooLarge
	}
	fields.Set(name, strings.Trim(value, " \t"))
	return 0
}

// HeaderAdd is the host function header_add.
func HeaderAdd(msg uint32, name, value string) int32 {
	fields, code := writable(msg, name, value)
	if code < 0 {
		return code
	}
	if isHost(name) {
		return invalid
	}
	if !roomFor(fields, name, value, false) {
		return tooLarge
	}
	fields.Add(name, strings.Trim(value, " \t"))
	return 0
}

// roomFor reports whether a message stays within the limits with one field more; with only, fields of that name give their room back.
func roomFor(fields *Fields, name, value string, only bool) bool {
	count, size := 1, len(name)+len(strings.Trim(value, " \t"))
	for _, f := range *fields {
		if only && strings.EqualFold(f.Name, name) {
			continue
		}
		count++
		size += len(f.Name) + len(f.Value)
	}
	return count <= 256 && size <= 64<<10
}

// HeaderRemove is the host function header_remove.
func HeaderRemove(msg uint32, name string) int32 {
	fields, code := writable(msg, name, "")
	if code < 0 {
		return code
	}
	if isHost(name) {
		return invalid
	}
	return int32(fields.Remove(name))
}

// connectionField reports whether a field belongs to the connection or the framing, which plugins do not reach.
func connectionField(name string) bool {
	switch strings.ToLower(name) {
	case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		"http2-settings", "content-length":
		return true
	}
	return false
}

// dropContentFields deletes what described a body that is replaced.
func dropContentFields(fields *Fields) {
	kept := (*fields)[:0]
	for _, f := range *fields {
		if !describesContent(strings.ToLower(f.Name)) {
			kept = append(kept, f)
		}
	}
	*fields = kept
}

func describesContent(name string) bool {
	switch name {
	case "accept-ranges", "etag", "last-modified", "digest", "repr-digest":
		return true
	case "content-security-policy", "content-security-policy-report-only":
		return false
	}
	return strings.HasPrefix(name, "content-")
}

// token reports whether s is a token of RFC 9110, section 5.6.2.
func token(s string) bool {
	return s != "" && visible(s) && !strings.ContainsAny(s, `"(),/:;<=>?@[\]{}`)
}

// visible reports whether s is visible ASCII.
func visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// printable reports whether s holds no control character but tab.
func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) < 0
}
