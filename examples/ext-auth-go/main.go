// Ext-auth asks a service of yours about every request: who sends it, and whether it may pass.
package main

import (
	"encoding/binary"
	"time"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/config"
)

func init() { sallyport.Register(configure) }

func main() {}

var seconds = sallyport.NewHistogram("ext_auth_seconds")

func configure(raw []byte) (sallyport.Hooks, error) {
	p := plugin{upstream: "auth"}
	err := config.Read(raw, func(key string, v *config.Value) error {
		switch key {
		case "upstream":
			return v.String(&p.upstream)
		case "timeout_ms":
			return v.Int(&p.timeout, 1, 60_000)
		}
		return nil
	})
	return sallyport.Hooks{Request: p.ask, ResumeRequest: p.decide}, err
}

type plugin struct {
	upstream string
	timeout  int // in milliseconds; 0 for the gateway's
}

// The fetches, by their numbers.
const (
	identity = iota
	permission
)

// ask sends both questions at once, and holds no copy of the plugin while they are answered.
func (p *plugin) ask(r *sallyport.Request) (sallyport.Verdict, error) {
	headers := []sallyport.Header{
		{Name: "Authorization", Value: r.Headers.Get("Authorization")},
		{Name: "X-Original-Method", Value: r.Method()},
		{Name: "X-Original-Path", Value: r.Path()},
	}
	for _, path := range []string{identity: "/identity", permission: "/permission"} {
		_, err := sallyport.StartFetch(p.upstream, sallyport.FetchRequest{
			Path: path, Headers: headers, Timeout: time.Duration(p.timeout) * time.Millisecond,
		})
		if err != nil {
			return sallyport.Continue, err
		}
	}
	// Another copy may go on: what it must know is kept by the gateway.
	if err := r.SetState(binary.LittleEndian.AppendUint64(nil, uint64(sallyport.Now()))); err != nil {
		return sallyport.Continue, err
	}
	return r.Wait()
}

// decide goes on when both answers are in. Without them the hook fails: on_error decides.
func (p *plugin) decide(r *sallyport.Request) (sallyport.Verdict, error) {
	asked := int64(binary.LittleEndian.Uint64(r.State()))
	if err := seconds.Observe(float64(sallyport.Now()-asked) / 1e9); err != nil {
		return sallyport.Continue, err
	}
	who, err := sallyport.Fetched(identity)
	if err != nil {
		return sallyport.Continue, err
	}
	may, err := sallyport.Fetched(permission)
	if err != nil {
		return sallyport.Continue, err
	}
	user := who.Headers.Get("X-User")
	if who.Status() != 200 || may.Status() != 200 || user == "" {
		return r.RespondProblem(403, "Forbidden")
	}
	if err := r.SetConsumer(user); err != nil {
		return sallyport.Continue, err
	}
	return sallyport.Continue, r.Headers.Set("X-User", user)
}
