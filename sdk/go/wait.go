package sallyport

import "errors"

var (
	errNoResumeRequest  = errors.New("a request hook waits, but there is no Hooks.ResumeRequest")
	errNoResumeResponse = errors.New("a response hook waits, but there is no Hooks.ResumeResponse")
)

// waiting is set when a response hook says that it waits.
var waiting bool

// Wait lets go of this copy of the plugin until all fetches that were started are in; then Hooks.ResumeRequest goes on. A request hook
// ends with it: `return r.Wait()`.
func (r *Request) Wait() (Verdict, error) { return Wait, nil }

// Wait is that of a response hook, after which Hooks.ResumeResponse goes on: `return r.Wait()`.
func (r *Response) Wait() error {
	waiting = true
	return nil
}

// callRequest runs a request hook, which may wait if it can be resumed.
func callRequest(hook func(*Request) (Verdict, error), resumes bool) (Verdict, error) {
	verdict, err := hook(&request)
	if err == nil && verdict == Wait && !resumes {
		err = errNoResumeRequest
	}
	return verdict, err
}

// callResponse does the same with a response hook, and reports whether it waits.
func callResponse(hook func(*Response) error, resumes bool) (waits bool, err error) {
	waiting = false
	err = hook(&response)
	if err == nil && waiting && !resumes {
		err = errNoResumeResponse
	}
	return waiting, err
}
