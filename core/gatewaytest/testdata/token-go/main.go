// Token lets nobody pass without a token, and tells with the answer what another service knows of whom it is.
package main

import (
	"strings"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure([]byte) (sallyport.Hooks, error) {
	return sallyport.Hooks{Request: check, Response: ask, ResumeResponse: tell}, nil
}

// check verifies the token. Its subject becomes the consumer.
func check(r *sallyport.Request) (sallyport.Verdict, error) {
	token := strings.TrimPrefix(r.Headers.Get("Authorization"), "Bearer ")
	claims, err := sallyport.VerifyJWT("main", token)
	switch err {
	case nil:
	case sallyport.ErrInvalid:
		return r.RespondProblem(401, "A token is needed")
	case sallyport.ErrExpired:
		return r.RespondProblem(401, "The token has expired")
	default: // the keys cannot be had: on_error decides
		return sallyport.Continue, err
	}
	var subject string
	err = config.Read(claims, func(key string, v *config.Value) error {
		if key == "sub" {
			return v.String(&subject)
		}
		return v.Skip()
	})
	if err != nil || subject == "" {
		return r.RespondProblem(401, "The token does not say who you are")
	}
	return sallyport.Continue, r.SetConsumer(subject)
}

func profile(r *sallyport.Response) sallyport.FetchRequest {
	return sallyport.FetchRequest{Path: "/" + r.Request.Consumer()}
}

// ask starts to ask what is known of the consumer, or waits for it in place if the request wants that.
func ask(r *sallyport.Response) error {
	if !r.Request.Headers.Has("X-Hold") {
		if _, err := sallyport.StartFetch("profiles", profile(r)); err != nil {
			return err
		}
		return r.Wait()
	}
	answer, err := sallyport.Fetch("profiles", profile(r))
	if err != nil {
		return err
	}
	body, err := answer.Body.Bytes()
	if err != nil {
		return err
	}
	return r.Headers.Set("X-Profile", "held "+string(body))
}

// tell goes on with the answer.
func tell(r *sallyport.Response) error {
	answer, err := sallyport.Fetched(0)
	if err != nil {
		return err
	}
	body, err := answer.Body.Bytes()
	if err != nil {
		return err
	}
	return r.Headers.Set("X-Profile", string(body))
}
