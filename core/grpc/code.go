package grpc

import (
	"strconv"

	"github.com/sallyport/sallyport/core/fault"
)

// Code is how a call ended: the number in Grpc-Status.
type Code uint8

// The codes that a gateway has use for, of those that gRPC defines.
const (
	OK                Code = 0
	Cancelled         Code = 1
	Unknown           Code = 2
	DeadlineExceeded  Code = 4
	PermissionDenied  Code = 7
	ResourceExhausted Code = 8
	Unimplemented     Code = 12
	Internal          Code = 13
	Unavailable       Code = 14
	Unauthenticated   Code = 16
)

// String returns the code as Grpc-Status has it.
func (c Code) String() string { return strconv.Itoa(int(c)) }

// CodeOfStatus returns what an HTTP status of an answer that is none of gRPC's means to a caller. It is gRPC's own mapping
// (http-grpc-status-mapping), but for what a gateway knows better:
//
//   - 429 is ResourceExhausted and not Unavailable, which tells clients to call again at once: what a rate limit is there to stop.
//   - 405 and 501 are Unimplemented like 404; 408 is DeadlineExceeded; 413 and 431 are ResourceExhausted, gRPC's word for
//     messages and metadata that are too large; 499 is Cancelled.
func CodeOfStatus(status int) Code {
	switch status {
	case 400:
		return Internal
	case 401:
		return Unauthenticated
	case 403:
		return PermissionDenied
	case 404, 405, 501:
		return Unimplemented
	case 408:
		return DeadlineExceeded
	case 413, 429, 431:
		return ResourceExhausted
	case 499:
		return Cancelled
	case 502, 503, 504:
		return Unavailable
	}
	return Unknown
}

// CodeOfFault returns what a fault of an exchange means to a caller: as its status, but a deadline of the gateway's own is one
// of the call's, and our own mistakes are Internal.
func CodeOfFault(kind fault.Kind) Code {
	switch kind {
	case fault.Internal:
		return Internal
	case fault.GatewayTimeout:
		return DeadlineExceeded
	}
	return CodeOfStatus(kind.Status())
}
