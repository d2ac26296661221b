package sallyport

import "strconv"

// ErrorCode is what the gateway answers to a call that it does not carry out.
type ErrorCode int32

// The codes.
const (
	ErrNotFound    ErrorCode = -1
	ErrInvalid     ErrorCode = -2
	ErrNotGranted  ErrorCode = -3
	ErrWrongPhase  ErrorCode = -4
	ErrTooLarge    ErrorCode = -5
	ErrTimedOut    ErrorCode = -6
	ErrUnavailable ErrorCode = -7
	ErrConflict    ErrorCode = -8
	ErrCancelled   ErrorCode = -9
)

// Error returns the code's text.
func (e ErrorCode) Error() string {
	switch e {
	case ErrNotFound:
		return "not found"
	case ErrInvalid:
		return "invalid argument"
	case ErrNotGranted:
		return "not granted"
	case ErrWrongPhase:
		return "not in this phase"
	case ErrTooLarge:
		return "too large"
	case ErrTimedOut:
		return "timed out"
	case ErrUnavailable:
		return "unavailable"
	case ErrConflict:
		return "conflict"
	case ErrCancelled:
		return "cancelled"
	}
	return "code " + strconv.Itoa(int(e))
}

// failure turns a host function's result into an error; results from 0 on are none.
func failure(result int32) error {
	if result >= 0 {
		return nil
	}
	return ErrorCode(result)
}
