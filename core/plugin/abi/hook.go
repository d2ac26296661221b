package abi

import "strings"

// Hooks are the bits that on_configure returns: the moments at which the plugin wants to be called.
type Hooks uint32

// The hooks. LeaseBound is no moment but a wish: that an exchange keeps to one instance.
const (
	HookRequest Hooks = 1 << iota
	HookRequestBody
	HookResponse
	HookResponseBody
	HookRequestChunks
	HookResponseChunks
	HookEnd
	LeaseBound
)

// HookInfo is a row of the table of hooks.
type HookInfo struct {
	Hook   Hooks
	Name   string
	Export string // what the plugin must export to ask for it; "" for nothing
}

// AllHooks returns every hook in order.
func AllHooks() []HookInfo {
	return []HookInfo{
		{Hook: HookRequest, Name: "request", Export: ExportRequest},
		{Hook: HookRequestBody, Name: "request body", Export: ExportRequest},
		{Hook: HookResponse, Name: "response", Export: ExportResponse},
		{Hook: HookResponseBody, Name: "response body", Export: ExportResponse},
		{Hook: HookRequestChunks, Name: "request chunks", Export: ExportRequestChunk},
		{Hook: HookResponseChunks, Name: "response chunks", Export: ExportResponseChunk},
		{Hook: HookEnd, Name: "end", Export: ExportEnd},
		{Hook: LeaseBound, Name: "lease bound"},
	}
}

// KnownHooks has every bit that means something.
const KnownHooks = LeaseBound<<1 - 1

// Implied returns h with the hooks that others in it bring along: who wants a whole body wants the hook that reads it.
func (h Hooks) Implied() Hooks {
	if h&HookRequestBody != 0 {
		h |= HookRequest
	}
	if h&HookResponseBody != 0 {
		h |= HookResponse
	}
	return h
}

// String lists the hooks' names.
func (h Hooks) String() string {
	var names []string
	for _, info := range AllHooks() {
		if h&info.Hook != 0 {
			names = append(names, info.Name)
		}
	}
	if h&^KnownHooks != 0 {
		names = append(names, "unknown bits")
	}
	return strings.Join(names, ", ")
}
