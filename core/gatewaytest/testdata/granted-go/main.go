// Granted uses all that a plugin can be granted, and says in its answer how each went: a token's attempts are limited, counted in a
// store that plugins share, and the last token is remembered in a store of its own.
package main

import (
	"fmt"
	"time"

	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

var (
	requests = sallyport.NewCounter("requests", sallyport.Label{Name: "by", Value: "token"})
	lengths  = sallyport.NewHistogram("token_bytes")
)

func configure([]byte) (sallyport.Hooks, error) {
	if _, err := sallyport.Secret("hmac"); err != nil {
		return sallyport.Hooks{}, err
	}
	return sallyport.Hooks{Request: request}, nil
}

func request(r *sallyport.Request) (sallyport.Verdict, error) {
	token := r.Headers.Get("X-Token")
	wait, err := sallyport.Take("login", token, 1)
	if err != nil {
		return 0, err
	}
	if wait > 0 {
		return r.Respond(429, nil)
	}
	if err := requests.Add(1); err != nil {
		return 0, err
	}
	if err := lengths.Observe(float64(len(token))); err != nil {
		return 0, err
	}
	n, err := sallyport.KV("shared").Add("attempts/"+token, 1, time.Hour)
	if err != nil {
		return 0, err
	}
	last, err := remember(token)
	if err != nil {
		return 0, err
	}
	secret, err := sallyport.Secret("hmac")
	if err != nil {
		return 0, err
	}
	_, denied := sallyport.KV("other").Get("a")
	return r.Respond(200, []byte(fmt.Sprint(n, " after ", last, " ", secret, " ", denied)))
}

// remember puts token in the place of the last one, which it returns.
func remember(token string) (string, error) {
	own := sallyport.KV("")
	last, err := own.Get("last")
	if err == sallyport.ErrNotFound {
		return "nobody", own.Insert("last", []byte(token), 0)
	}
	if err != nil {
		return "", err
	}
	if token == "forget" {
		return string(last), own.Delete("last")
	}
	return string(last), own.Swap("last", last, []byte(token), time.Minute)
}
