package abi

import "strconv"

// Code is what a host function returns in place of a result when it could not do its work: a negative number.
type Code int32

// The codes.
const (
	NotFound    Code = -1
	Invalid     Code = -2
	NotGranted  Code = -3
	WrongPhase  Code = -4
	TooLarge    Code = -5
	TimedOut    Code = -6
	Unavailable Code = -7
	Conflict    Code = -8
	Cancelled   Code = -9
)

// CodeInfo is a row of the table of codes.
type CodeInfo struct {
	Code Code
	Text string
}

// Codes returns every code in order.
func Codes() []CodeInfo {
	return []CodeInfo{
		{NotFound, "not found"},
		{Invalid, "invalid argument"},
		{NotGranted, "not granted"},
		{WrongPhase, "not in this phase"},
		{TooLarge, "too large"},
		{TimedOut, "timed out"},
		{Unavailable, "unavailable"},
		{Conflict, "conflict"},
		{Cancelled, "cancelled"},
	}
}

// Error returns the code's text.
func (c Code) Error() string {
	for _, info := range Codes() {
		if info.Code == c {
			return info.Text
		}
	}
	return "code " + strconv.Itoa(int(c))
}
