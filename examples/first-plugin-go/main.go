// First-plugin sets a header on every request and on every response.
package main

import (
	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

func init() { sallyport.Register(configure) }

func main() {}

// configure reads the plugin's config table and says which hooks it wants.
func configure(raw []byte) (sallyport.Hooks, error) {
	p := plugin{header: "X-First-Plugin", value: "hello from the sandbox"}
	err := config.Read(raw, func(key string, v *config.Value) error {
		switch key {
		case "header":
			return v.String(&p.header)
		case "value":
			return v.String(&p.value)
		}
		return nil // any other key is refused
	})
	return sallyport.Hooks{Request: p.request, Response: p.response}, err
}

type plugin struct {
	header, value string
}

func (p *plugin) request(r *sallyport.Request) (sallyport.Verdict, error) {
	return sallyport.Continue, r.Headers.Set(p.header, p.value)
}

func (p *plugin) response(r *sallyport.Response) error {
	return r.Headers.Set(p.header, p.value)
}
