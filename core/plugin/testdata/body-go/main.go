// Body reads every request's body, and refuses one that does not end as it begins.
package main

import "github.com/sallyport/sallyport/sdk/go"

func init() { sallyport.Register(configure) }

func main() {}

func configure([]byte) (sallyport.Hooks, error) {
	return sallyport.Hooks{Request: check, RequestBody: true}, nil
}

func check(r *sallyport.Request) (sallyport.Verdict, error) {
	body, err := r.Body.Bytes()
	if err != nil {
		return sallyport.Continue, err
	}
	if len(body) == 0 || body[0] != body[len(body)-1] {
		return r.Respond(422, nil)
	}
	return sallyport.Continue, nil
}
