// Package refuse answers requests that may not pass, and tells operators why: clients are often told less.
package refuse

import "github.com/sallyport/sallyport/sdk/go"

// Attr is the attribute that says why. The access log has it, and so has the admin interface with its examples of refusals.
const Attr = "refusal"

// Problem answers with a problem document (RFC 9457). The reason is for operators alone: a constant text, or one of the config, never
// one of the request.
func Problem(r *sallyport.Request, why string, status int, title string, headers ...sallyport.Header) (sallyport.Verdict, error) {
	if err := r.SetAttr(Attr, why); err != nil {
		return sallyport.Continue, err
	}
	return r.RespondProblem(status, title, headers...)
}
