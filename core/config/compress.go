package config

import (
	"slices"
	"strings"
)

func readCompress(v value, f *Filter) {
	c := &Compress{Encodings: []string{"zstd", "gzip", "br"}, Types: compressible(), MinSize: 1 << 10, Level: "default", MaxStreams: 256}
	f.Compress = c
	compressKeys().read(v, c)
}

func compressKeys() keys[Compress] {
	return keys[Compress]{
		{"use", func(value, *Compress) {}},
		{"encodings", func(v value, c *Compress) { v.someTexts(&c.Encodings, "content codings", checkEncoding) }},
		{"types", func(v value, c *Compress) { v.someTexts(&c.Types, "media types", checkMediaPattern) }},
		{"min_size", func(v value, c *Compress) { size(v, &c.MinSize, 1, 1<<30) }},
		{"level", func(v value, c *Compress) { v.oneOf(&c.Level, "fast", "default", "best") }},
		{"max_streams", func(v value, c *Compress) { integer(v, &c.MaxStreams, 1, 1_000_000) }},
	}
}

// compressible are the types that compress by default: text in all its forms, and the few binary ones that are not packed already.
func compressible() []string {
	return []string{"text/*", "application/json", "application/*+json", "application/xml", "application/*+xml", "application/javascript",
		"application/yaml", "application/wasm", "image/svg+xml", "font/otf", "font/ttf"}
}

// someTexts reads an array of different strings that must not be empty.
func (v value) someTexts(dst *[]string, wanted string, check func(value, string) (string, bool)) {
	before := len(v.r.wrong)
	v.texts(dst, wanted, check)
	if len(*dst) == 0 && len(v.r.wrong) == before {
		v.fail("must not be empty: without %s there is nothing to do", wanted)
	}
}

func checkEncoding(v value, s string) (string, bool) {
	known := []string{"zstd", "gzip", "br"}
	v.oneOf(&s, known...) // it tells what is wrong
	return s, slices.Contains(known, s)
}

// checkMediaPattern takes "type/subtype", "type/*" and "type/*+suffix", without parameters.
func checkMediaPattern(v value, s string) (string, bool) {
	kind, name, _ := strings.Cut(s, "/")
	suffix, open := strings.CutPrefix(name, "*")
	if !isToken(kind) || kind == "*" || strings.Contains(suffix, "*") || !open && !isToken(name) ||
		open && suffix != "" && (suffix[0] != '+' || len(suffix) == 1 || !isToken(suffix)) {
		v.fail(`%q is no media type: write "application/json", "text/*" or "application/*+json"`, s)
		return "", false
	}
	return strings.ToLower(s), true
}
