//go:build !wasm && !tinygo.wasm

package host

import (
	"strings"
	"time"
)

// firstFetch is the handle of the first answer.
const firstFetch = 16

const (
	maxBody        = 1 << 20
	maxFetches     = 16
	maxFields      = 256
	maxFieldBytes  = 64 << 10
	maxFetchFields = maxFieldBytes + 8*maxFields + 4
)

// FetchRequest is a request of the plugin's own, as an upstream of the World gets it.
type FetchRequest struct {
	Method, Path, Authority string // the path with its query
	Headers                 Fields
	Body                    string
	Timeout                 time.Duration // 0 if the plugin leaves it to the gateway
}

// FetchAnswer is what an upstream of the World answers.
type FetchAnswer struct {
	// Fault, if it is not 0, says that there is no answer: -6 for one that comes too late, -7 for an upstream that cannot be asked, -9 for a
	// client that has gone.
	Fault   int32
	Status  int
	Headers Fields
	Body    string
}

// fetches are those of an exchange, and the passwords that it has had checked. Those of StartFetch, and checks, are under way until the hook
// waits or has ended.
type fetches struct {
	answers  []*FetchAnswer
	answered int // so many of them are in
	asked    []question
	told     int  // so many of these are answered
	started  bool // one by the hook that runs
}

// begin makes what is under way answered.
func (x *Exchange) begin() {
	if x.fetches == nil {
		x.fetches = &fetches{}
	}
	x.fetches.answered, x.fetches.told = len(x.fetches.answers), len(x.fetches.asked)
	x.fetches.started = false
}

// answer returns an answer that is there.
func (x *Exchange) answer(msg uint32) *FetchAnswer { return x.fetches.answers[msg-firstFetch] }

// Waits reports whether the hook that has run has something to wait for.
func (x *Exchange) Waits() bool {
	return x.fetches != nil && (x.fetches.started || x.fetches.answered < len(x.fetches.answers) || x.fetches.told < len(x.fetches.asked))
}

// answerFields returns the fields of an answer.
func answerFields(msg uint32) (*Fields, int32) {
	if !inHead() {
		return nil, notFound
	}
	if code := fetched(msg); code < 0 {
		return nil, code
	}
	return &current.x.answer(msg).Headers, 0
}

// fetched returns 0 if an answer is there, else a code.
func fetched(id uint32) int32 {
	f := current.x.fetches
	switch n := int(id) - firstFetch; {
	case f == nil || n < 0 || n >= len(f.answers):
		return notFound
	case n >= f.answered:
		return conflict
	default:
		return f.answers[n].Fault
	}
}

// FetchStart is the host function fetch_start.
func FetchStart(upstream string, fields, body []byte, timeout uint32) int32 {
	serve := world().Upstreams[upstream]
	switch {
	case !inHead():
		return wrongPhase
	case len(upstream) > maxName || len(body) > maxBody || len(fields) > maxFetchFields:
		return tooLarge
	case serve == nil:
		return notGranted
	}
	if current.x.fetches == nil {
		current.x.begin()
	}
	f := current.x.fetches
	if len(f.answers) >= maxFetches {
		return tooLarge
	}
	r := FetchRequest{Method: "GET", Path: "/", Body: string(body), Timeout: time.Duration(timeout) * time.Millisecond}
	if code := r.compose(decodeList(fields)); code < 0 {
		return code
	}
	answer := serve(r)
	if len(answer.Body) > maxBody {
		answer = FetchAnswer{Fault: unavailable}
	}
	f.answers, f.started = append(f.answers, &answer), true
	return int32(firstFetch + len(f.answers) - 1)
}

// Fetch is the host function fetch. What was started before may be in then, too, or not: here it is.
func Fetch(upstream string, fields, body []byte, timeout uint32) int32 {
	id := FetchStart(upstream, fields, body, timeout)
	if id < 0 {
		return id
	}
	current.x.fetches.answered = len(current.x.fetches.answers)
	return FetchResult(uint32(id))
}

// FetchResult is the host function fetch_result.
func FetchResult(id uint32) int32 {
	if !inHead() {
		return wrongPhase
	}
	if code := fetched(id); code < 0 {
		return code
	}
	return int32(id)
}

func (r *FetchRequest) compose(list []Field) int32 {
	for _, f := range list {
		if code := r.take(f.Name, strings.Trim(f.Value, " \t")); code < 0 {
			return code
		}
	}
	if len(r.Headers) > maxFields {
		return tooLarge
	}
	if r.Headers.Values("X-Request-Id") == nil && current.x.ID != "" {
		r.Headers.Add("X-Request-Id", current.x.ID)
	}
	return 0
}

func (r *FetchRequest) take(name, value string) int32 {
	switch {
	case name == ":method" && token(value) && value != "CONNECT":
		r.Method = value
	case name == ":path" && strings.HasPrefix(value, "/") && visible(value) && !strings.Contains(value, "#"):
		r.Path = value
	case name == ":authority" && value != "" && visible(value) && !strings.ContainsAny(value, "/?#@"):
		r.Authority = strings.ToLower(value)
	case len(name) > maxName || len(value) > 16<<10:
		return tooLarge
	case !token(name) || !printable(value) || connectionField(name) || isHost(name):
		return invalid
	default:
		r.Headers.Add(name, value)
	}
	return 0
}
