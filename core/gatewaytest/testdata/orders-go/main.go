// Orders takes only orders that name an item, hides the digits in what comes back, and logs how each exchange ended.
package main

import (
	"encoding/json"
	"strconv"

	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure([]byte) (sallyport.Hooks, error) {
	return sallyport.Hooks{
		Request: check, RequestBody: true,
		Response: mask, ResponseBody: true,
		End: note,
	}, nil
}

// check refuses orders that do not name an item.
func check(r *sallyport.Request) (sallyport.Verdict, error) {
	body, err := r.Body.Bytes()
	if err != nil || len(body) == 0 {
		return sallyport.Continue, err
	}
	var order struct {
		Item string `json:"item"`
	}
	if json.Unmarshal(body, &order) != nil || order.Item == "" {
		return r.RespondProblem(422, "an order must name an item")
	}
	return sallyport.Continue, nil
}

// mask hides digits. An answer without content, such as that to a HEAD, stays as it is.
func mask(r *sallyport.Response) error {
	body, err := r.Body.Bytes()
	if err != nil || len(body) == 0 {
		return err
	}
	for i, c := range body {
		if '0' <= c && c <= '9' {
			body[i] = '#'
		}
	}
	if err := r.Body.Set(body); err != nil {
		return err
	}
	return r.Headers.Set("Content-Type", "text/plain; digits=hidden")
}

// note says how an exchange ended.
func note(r *sallyport.Response) {
	sallyport.Log(sallyport.Info, "ended with "+strconv.Itoa(r.Status())+" "+r.Request.Trailers.Get("Checksum"))
}
