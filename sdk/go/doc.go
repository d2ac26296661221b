// Package sallyport lets a Go program be a plugin of the Sallyport gateway. It builds with TinyGo and with stock Go
// and imports nothing outside the standard library.
//
// A plugin registers a function that reads its configuration and says which hooks it wants:
//
//	package main
//
//	import "github.com/sallyport/sallyport/sdk/go"
//
//	func init() { sallyport.Register(configure) }
//
//	func main() {}
//
//	func configure(config []byte) (sallyport.Hooks, error) {
//		return sallyport.Hooks{Request: greet}, nil
//	}
//
//	func greet(r *sallyport.Request) (sallyport.Verdict, error) {
//		return sallyport.Continue, r.Headers.Set("X-Greeting", "hello")
//	}
//
// With Hooks.RequestBody or Hooks.ResponseBody a hook is called when the whole body is there, and may read and replace
// it: see Body. With Hooks.RequestChunk or Hooks.ResponseChunk it is called with each piece as it streams through: see Chunk. Hooks.End
// comes when an exchange is over.
//
// A plugin asks other services with Fetch, which holds the copy that it runs in, or with StartFetch and Wait, which does not.
//
// A hook runs on any idle copy of the plugin, so a package variable remembers nothing of an exchange: what the
// response hook must know of the request goes through SetState. Within one copy hooks run one after the other.
//
// In a plain `go test` the gateway is the in-memory one of package sallyporttest. The subpackage config reads the
// configuration's JSON strictly, and much smaller than encoding/json does under TinyGo.
package sallyport
