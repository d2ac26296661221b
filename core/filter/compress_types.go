package filter

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// mediaPattern is a media type, or all of a kind, or those of a kind that end in a suffix such as "+json".
type mediaPattern struct {
	kind, name string
	open       bool // name is a suffix, "" for all
}

func parseMediaPattern(text string) (mediaPattern, error) {
	kind, name, ok := strings.Cut(text, "/")
	if !ok || kind == "" || kind == "*" || name == "" {
		return mediaPattern{}, fmt.Errorf("%q is no media type", text)
	}
	if isStream(kind, name) {
		return mediaPattern{}, fmt.Errorf("%q is a type of streams: they are never compressed", text)
	}
	suffix, open := strings.CutPrefix(name, "*")
	return mediaPattern{kind, suffix, open}, nil
}

func (p *mediaPattern) matches(kind, name string) bool {
	if !header.EqualName(p.kind, kind) {
		return false
	}
	if p.open {
		return len(name) > len(p.name) && header.EqualName(name[len(name)-len(p.name):], p.name)
	}
	return header.EqualName(p.name, name)
}

// hasType reports whether content of that Content-Type is compressed.
func (c *Compress) hasType(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	kind, name, ok := strings.Cut(trimSpace(media), "/")
	if !ok {
		return false
	}
	for i := range c.types {
		if c.types[i].matches(kind, name) {
			return !isStream(kind, name)
		}
	}
	return false
}

// isStream reports whether a media type is one of messages that a client waits for singly. Some readers of such streams, and what stands
// between, hold back what is compressed.
func isStream(kind, name string) bool {
	switch {
	case header.EqualName(kind, "text"):
		return header.EqualName(name, "event-stream")
	case header.EqualName(kind, "multipart"):
		return header.EqualName(name, "x-mixed-replace")
	case !header.EqualName(kind, "application"):
		return false
	case len(name) >= 4 && header.EqualName(name[:4], "grpc"):
		return true
	}
	for _, stream := range [...]string{"x-ndjson", "ndjson", "jsonl", "x-jsonlines", "json-seq", "stream+json"} {
		if header.EqualName(name, stream) {
			return true
		}
	}
	return false
}
