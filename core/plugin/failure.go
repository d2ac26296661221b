package plugin

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// Cause is why a guest's call failed.
type Cause uint8

// The causes.
const (
	Trap Cause = iota // unreachable, which is how most languages panic; memory, table, division…
	OutOfFuel
	OutOfTime
	OutOfStack
	Exited    // proc_exit
	BadResult // a result that means nothing, or not at that moment
	Stopped   // the gateway is shutting down
	Bug       // a host function panicked: our own mistake
)

// causes is how many there are.
const causes = int(Bug) + 1

// String returns the cause as logs and metrics name it.
func (c Cause) String() string {
	return [causes]string{"trap", "fuel", "time", "stack", "exit", "result", "shutdown", "bug"}[c]
}

// retry reports whether a call that failed so may go better in a fresh instance. What used up a limit would again.
func (c Cause) retry() bool {
	return c == Trap || c == Exited || c == BadResult || c == Bug
}

// Failure is a guest's call that failed; the instance is gone. Its text is for the log only.
type Failure struct {
	Export string // the function that was called; "start" for the module's start function
	Cause  Cause
	Err    error // with the guest's stack
}

// Error describes the failure in one line; the stack is in Err.
func (f *Failure) Error() string {
	reason, _, _ := strings.Cut(f.Err.Error(), "\n")
	reason = strings.TrimSuffix(reason, " (recovered by wazero)") // the engine's note on what is stopped on purpose
	return fmt.Sprintf("%s failed (%s): %s", f.Export, f.Cause, reason)
}

// Unwrap returns the cause's own error.
func (f *Failure) Unwrap() error { return f.Err }

// interrupt is what host functions panic with to stop the guest; the engine gives it back as the call's error.
type interrupt struct {
	cause Cause
	text  string
}

// Error tells why the guest was stopped.
func (i *interrupt) Error() string { return i.text }

// newFailure finds out why a call failed. stackGone says that the guest had no stack left.
func newFailure(export string, err error, stackGone bool) *Failure {
	f := &Failure{Export: export, Cause: Trap, Err: err}
	var stopped *interrupt
	var bug runtime.Error
	switch {
	case errors.As(err, &stopped):
		f.Cause = stopped.cause
	case errors.As(err, &bug):
		f.Cause = Bug
	case stackGone || strings.HasPrefix(err.Error(), "stack overflow"):
		f.Cause = OutOfStack
	}
	return f
}
