// Package grpc knows how gRPC and gRPC-Web are written in HTTP: content types, status codes, deadlines, frames. It calls nothing and
// serves nothing.
package grpc

import "strings"

// Dialect is how a message says that it belongs to a gRPC call.
type Dialect uint8

// The dialects, by content type. None is for all other HTTP.
const (
	None    Dialect = iota
	Native          // application/grpc: HTTP/2, the status in the trailers
	Web             // application/grpc-web: any HTTP, the status in the body's last frame
	WebText         // application/grpc-web-text: the same in base64
)

const (
	nativeType  = "application/grpc"
	webType     = "application/grpc-web"
	webTextType = "application/grpc-web-text"
)

// DialectOf returns the dialect that a Content-Type names, whatever the format of the messages ("+proto", "+json") and the parameters.
func DialectOf(contentType string) Dialect {
	switch rest, ok := cutPrefix(contentType, nativeType); {
	case !ok:
		return None
	case endsType(rest):
		return Native
	case hasType(contentType, webType):
		return Web
	case hasType(contentType, webTextType):
		return WebText
	}
	return None
}

// Translate returns the Content-Type for the same messages in another dialect; from is the one that it has now.
func Translate(contentType string, from, to Dialect) string {
	types := [...]string{Native: nativeType, Web: webType, WebText: webTextType}
	return types[to] + contentType[len(types[from]):]
}

func hasType(contentType, media string) bool {
	rest, ok := cutPrefix(contentType, media)
	return ok && endsType(rest)
}

// endsType reports whether the media type's name ends before rest.
func endsType(rest string) bool {
	return rest == "" || strings.IndexByte("+; \t", rest[0]) >= 0
}

func cutPrefix(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
