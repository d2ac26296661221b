package abi

import "strings"

// Phases is a set of phases: moments in a plugin's life, by what it may call in them.
type Phases uint8

// The phases. on_resume runs in the phase of the hook that waited.
const (
	InConfigure     Phases = 1 << iota // start function, _initialize, sallyport_abi, on_configure
	InRequest                          // on_request
	InResponse                         // on_response
	InRequestChunk                     // on_request_chunk: sees the request's body and its own state only
	InResponseChunk                    // on_response_chunk
	InEnd                              // on_end
)

// The sets of phases that functions are offered in.
const (
	InHead     = InRequest | InResponse
	InExchange = InHead | InRequestChunk | InResponseChunk | InEnd
	InReading  = InHead | InResponseChunk | InEnd
	Everywhere = InConfigure | InExchange
)

// PhaseInfo is a row of the table of phases.
type PhaseInfo struct {
	Phase Phases
	Name  string
}

// AllPhases returns every phase in order.
func AllPhases() []PhaseInfo {
	return []PhaseInfo{
		{InConfigure, "configure"},
		{InRequest, "request"},
		{InResponse, "response"},
		{InRequestChunk, "request chunk"},
		{InResponseChunk, "response chunk"},
		{InEnd, "end"},
	}
}

// String lists the phases' names; the set of all is "all".
func (p Phases) String() string {
	if p == Everywhere {
		return "all"
	}
	var names []string
	for _, info := range AllPhases() {
		if p&info.Phase != 0 {
			names = append(names, info.Name)
		}
	}
	return strings.Join(names, ", ")
}
