package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Verdict is what a request hook says.
type Verdict int32

// The verdicts.
const (
	Continue Verdict = iota // on to the next filter
	Respond                 // the answer is ready: the rest of the chain and the backend are left out
	Wait                    // for the fetches that were started; Hooks.ResumeRequest goes on
)

// Hooks are the moments at which a plugin wants to be called; one left nil costs nothing. A hook that returns an
// error has failed: the error is logged, and the route's on_error says whether the client gets a 503 or the
// exchange goes on as if the filter were not there. Hooks must not keep the Request or Response.
type Hooks struct {
	// Request is called with every request, before an upstream is contacted.
	Request func(*Request) (Verdict, error)
	// RequestBody makes Request wait for the whole body. The gateway holds it up to buffer_limit; beyond that the
	// client gets a 413 and Request is not called.
	RequestBody bool
	// Response is called with every answer to a request that Request let pass.
	Response func(*Response) error
	// ResponseBody makes Response wait for the whole body; beyond buffer_limit the client gets a 502 in its place.
	ResponseBody bool
	// ResumeRequest goes on with a Request, or a ResumeRequest, that returned Wait, when all its fetches have been answered or have failed: Fetched
	// returns the answers. It runs on whatever copy of the plugin is idle then, which is why it is a function of its own and not one
	// that Request hands over: of what Request had in its variables nothing is left. What it must know goes through SetState; what was
	// changed of the request is changed.
	ResumeRequest func(*Request) (Verdict, error)
	// ResumeResponse goes on with a Response that waits, in the same way.
	ResumeResponse func(*Response) error
	// RequestChunk is called with each piece of the request's body as it streams through, ResponseChunk with those of the response's. A message without
	// content has none. Not together with RequestBody or ResponseBody. Content-Length is unknown then: the body is sent in chunks.
	RequestChunk  func(*Chunk) (Flow, error)
	ResponseChunk func(*Response, *Chunk) (Flow, error)
	// Bound keeps each exchange to one copy of the plugin, which may hold in its memory, by Exchange.Number, what is too much for SetState.
	// Other exchanges run on the same copy in between. If a hook fails, so do all exchanges of that copy.
	Bound bool
	// End is called once for every exchange whose request Request let pass or answered, when the last byte has gone to the
	// client or never will. It is for logging and counting: all can be read but bodies, nothing be changed but the state.
	End func(*Response)
}

// Configure reads the filter's config table, given as JSON ("{}" if there is none), once for every copy of the
// plugin. Its error refuses the configuration and is what the operator reads; one that begins with a JSON pointer,
// as those of package config do ("/keys/0/key: must not be empty"), points at the place in gateway.toml.
type Configure func(config []byte) (Hooks, error)

var (
	configure Configure
	hooks     Hooks
)

// Register makes configure the plugin. Call it once, from an init function of package main.
func Register(c Configure) { configure = c }

// abiLevel is the level of the plugin ABI that this package was written for.
const abiLevel = 1

// The bits by which on_configure asks for hooks.
const (
	wantRequest        = 1
	wantRequestBody    = 2
	wantResponse       = 4
	wantResponseBody   = 8
	wantRequestChunks  = 16
	wantResponseChunks = 32
	wantEnd            = 64
	wantBound          = 128
)

// failed is what an export answers when the plugin returned an error.
const failed = -1

// wanted returns the bits of the hooks that are set. A body without a hook that is called with it is not waited for.
func (h Hooks) wanted() int32 {
	var bits int32
	if h.Request != nil {
		bits |= wantRequest
		if h.RequestBody {
			bits |= wantRequestBody
		}
	}
	if h.Response != nil {
		bits |= wantResponse
		if h.ResponseBody {
			bits |= wantResponseBody
		}
	}
	return bits | bitIf(h.RequestChunk != nil, wantRequestChunks) | bitIf(h.ResponseChunk != nil, wantResponseChunks) |
		bitIf(h.End != nil, wantEnd) | bitIf(h.Bound, wantBound)
}

func bitIf(wanted bool, bit int32) int32 {
	if wanted {
		return bit
	}
	return 0
}

// configured runs configure over the gateway's config and keeps the hooks.
func configured() int32 {
	if configure == nil {
		return refuse("the plugin does not call sallyport.Register")
	}
	h, err := configure(configJSON())
	if err != nil {
		return refuse(err.Error())
	}
	hooks = h
	return h.wanted()
}

func refuse(reason string) int32 {
	host.Fail(reason)
	return failed
}

// configJSON is not read into the scratch buffer: configure may call functions that write there.
func configJSON() []byte {
	buf := make([]byte, 1024)
	n := host.Config(buf)
	if int(n) > len(buf) {
		buf = make([]byte, n)
		n = host.Config(buf)
	}
	if n < 0 {
		return nil
	}
	return buf[:n]
}
