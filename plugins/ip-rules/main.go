// Ip-rules lets requests pass or refuses them by the client's address.
package main

import (
	"github.com/sallyport/sallyport/plugins/internal/refuse"
	"github.com/sallyport/sallyport/sdk/go"
)

func init() { sallyport.Register(configure) }

func main() {}

func configure(raw []byte) (sallyport.Hooks, error) {
	r, err := readRules(raw)
	return sallyport.Hooks{Request: r.request}, err
}

// request fails, rather than guess, when the gateway gives no address that can be understood.
func (r *rules) request(req *sallyport.Request) (sallyport.Verdict, error) {
	text, _ := req.Bytes(sallyport.FieldClientAddress)
	client, err := readAddress(text)
	if err != nil {
		return sallyport.Continue, err
	}
	why := r.refuses(client)
	if why == "" {
		return sallyport.Continue, nil
	}
	return refuse.Problem(req, why, r.status, title(r.status))
}

func title(status int) string {
	switch status {
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	}
	return "Refused"
}
