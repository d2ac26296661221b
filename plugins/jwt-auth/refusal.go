package main

import (
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

// refusal is why a request may not pass.
type refusal int

const (
	fine refusal = iota
	noToken
	twoTokens
	notGenuine
	expired
	unusable
	otherIssuer
	otherAudience
	claimMissing
	claimDiffers
	scopeMissing
)

// answers are what clients are told (RFC 6750, section 3.1).
var answers = [...]struct {
	status            int
	code, description string
}{
	noToken:       {401, "", ""},
	twoTokens:     {400, "invalid_request", "There must be one token, in one place"},
	notGenuine:    {401, "invalid_token", "The token is malformed, from or for somebody else, or not signed by a key that is known"},
	expired:       {401, "invalid_token", "The token has expired or is not valid yet"},
	unusable:      {401, "invalid_token", "The claims of the token cannot be used"},
	otherIssuer:   {401, "invalid_token", "The token is from another issuer"},
	otherAudience: {401, "invalid_token", "The token is for another audience"},
	claimMissing:  {401, "invalid_token", "A claim is missing in the token"},
	claimDiffers:  {403, "insufficient_scope", "The claims of the token do not allow this"},
	scopeMissing:  {403, "insufficient_scope", "The scopes of the token do not allow this"},
}

func (s *settings) refuse(r *sallyport.Request, why refusal) (sallyport.Verdict, error) {
	status := answers[why].status
	title := "Unauthorized"
	switch status {
	case 400:
		title = "Bad Request"
	case 403:
		title = "Forbidden"
	}
	return refuse.Problem(r, told(why), status, title, sallyport.Header{Name: "WWW-Authenticate", Value: s.challenge(why)})
}

// told returns what operators are told.
func told(why refusal) string {
	if why == noToken {
		return "There is no token"
	}
	return answers[why].description
}

// challenge writes WWW-Authenticate (RFC 6750, section 3). A request without a token is told no error.
func (s *settings) challenge(why refusal) string {
	b, separator := "Bearer", " "
	add := func(name, value string) {
		if value != "" {
			b += separator + name + `="` + value + `"`
			separator = ", "
		}
	}
	add("realm", s.realm)
	add("error", answers[why].code)
	add("error_description", answers[why].description)
	if why == noToken || why == scopeMissing {
		add("scope", s.scopeList)
	}
	return b
}
