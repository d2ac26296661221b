package main

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/sallyport/sallyport/plugins/internal/field"
	"github.com/sallyport/sallyport/plugins/internal/sha256"
	"github.com/sallyport/sallyport/sdk/go"
)

// mostKept is how many bytes a decision may have to be kept.
const mostKept = 16 << 10

// cacheKey returns under which key the decision is kept, "" if none is: a digest of the configuration and of what the service decides
// by. Every part has its length before it, so that none can pass for another.
func (s *settings) cacheKey(r *sallyport.Request) string {
	if s.keepAllowed == 0 && s.keepDenied == 0 {
		return ""
	}
	b := append(s.scratch[:0], s.digest[:]...)
	part := func(value []byte) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
	}
	for i, name := range partNames {
		if s.parts[i] {
			part([]byte(name))
			value, _ := r.Bytes(partFields[i])
			part(value)
		}
	}
	for _, name := range s.keyHeaders {
		values := r.Headers.Values(name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(values)))
		for _, value := range values {
			part([]byte(value))
		}
	}
	s.scratch = b
	d := sha256.Sum(field.View(b))
	const hex = "0123456789abcdef"
	key := make([]byte, 0, 2*len(d))
	for _, c := range d {
		key = append(key, hex[c>>4], hex[c&15])
	}
	return string(key)
}

// recall returns a decision that was kept. A store that fails is as good as none.
func (s *settings) recall(key string) (d decision, ok bool) {
	if key == "" {
		return d, false
	}
	kept, err := sallyport.KV("").Bytes(key)
	if err != nil {
		return d, false
	}
	return decode(string(kept))
}

// remember keeps a decision for as long as configuration and service allow. What sets a cookie is for one client once.
func (s *settings) remember(key string, d decision, h sallyport.Headers) {
	seconds := 0
	switch {
	case d.allows():
		seconds = s.keepAllowed
	case d.status == 401 || d.status == 403:
		seconds = s.keepDenied
	}
	if key == "" || seconds == 0 || h.Has("Set-Cookie") {
		return
	}
	for _, value := range h.Values("Cache-Control") {
		seconds = min(seconds, allowed(value, seconds))
	}
	kept := d.encode()
	if seconds == 0 || len(kept) > mostKept {
		return
	}
	if err := sallyport.KV("").Set(key, kept, time.Duration(seconds)*time.Second); err != nil {
		sallyport.Log(sallyport.Warn, "a decision is not kept: "+err.Error())
	}
}

// allowed returns for how many seconds Cache-Control lets an answer be kept, at most so many. What is not understood lets it not.
func allowed(control string, most int) int {
	for control != "" {
		var directive string
		directive, control, _ = strings.Cut(control, ",")
		name, argument, _ := strings.Cut(directive, "=")
		name = strings.Trim(name, " \t")
		switch {
		case field.Equal(name, "no-store"), field.Equal(name, "no-cache"):
			return 0
		case field.Equal(name, "max-age"), field.Equal(name, "s-maxage"):
			most = min(most, number(strings.Trim(argument, " \t\"")))
		}
	}
	return most
}

// number reads digits; what is none is 0.
func number(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		if n = n*10 + int(s[i]-'0'); n > 1_000_000 {
			return n
		}
	}
	return n
}
