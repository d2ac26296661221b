// Package abi holds the names, numbers and limits of plugin ABI v1; sdk/ABI.md says the same in words.
package abi

// Level is the ABI level that this gateway speaks. A plugin says with its export sallyport_abi which one it was built
// for; levels only add, so every level from 1 to this one is accepted.
const Level = 1

// Module is the name that plugins import the host functions from.
const Module = "sallyport"

// The results of hooks.
const (
	ResultContinue = 0
	ResultRespond  = 1 // on_request only: the answer is ready, the rest of the chain is left out
	ResultWait     = 2 // call on_resume when the fetches that were started are in
)

// The results of chunk hooks.
const (
	ChunkPass  = 0
	ChunkAbort = 1
)

// Levels of the host function log.
const (
	LogDebug = 0
	LogInfo  = 1
	LogWarn  = 2
	LogError = 3
)

// NoOldValue is the length of the old value by which kv_swap is told that there is none.
const NoOldValue = 0xffffffff

// NoMessage is what schema_check is told in place of a message to check the bytes that are passed along.
const NoMessage Message = 0xffffffff

// Message is the handle of a message.
type Message uint32

// The handles of messages. Those from FirstFetch on are answers of fetches, freed when the exchange ends.
const (
	Request          Message = 0
	Response         Message = 1
	RequestTrailers  Message = 2
	ResponseTrailers Message = 3
	FirstFetch       Message = 16
)

// MessageInfo is a row of the table of messages.
type MessageInfo struct {
	Message Message
	Name    string
}

// Messages returns the fixed handles in order.
func Messages() []MessageInfo {
	return []MessageInfo{
		{Request, "request"},
		{Response, "response"},
		{RequestTrailers, "request trailers"},
		{ResponseTrailers, "response trailers"},
	}
}
