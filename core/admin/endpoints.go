package admin

import (
	_ "embed" // for openapi.json
	"net/http"

	"github.com/sallyport/sallyport/core/gateway"
)

// Endpoint is one thing that the API can do. Whoever adds one adds it to openapi.json, too: a test compares.
type Endpoint struct {
	Method  string
	Pattern string // as http.ServeMux takes it
	Open    bool   // no permission is needed, and no question asked: what it answers is no secret, and it changes nothing
	Doc     string // what it does, in one line
	handle  http.HandlerFunc
}

// api is what the endpoints have in common.
type api struct {
	Options
	refusals  tries // lines in the log
	parts     map[string]dashboardPart
	profiling chan struct{} // holds one at a time
}

//go:embed openapi.json
var openAPI []byte

// endpoints lists all that there are.
func (a *api) endpoints() []Endpoint {
	a.profiling = make(chan struct{}, 1)
	a.parts = dashboardParts()
	const get, put, post = http.MethodGet, http.MethodPut, http.MethodPost
	return []Endpoint{
		{get, "/{$}", true, "the dashboard, a page for people", a.dashboard},
		{get, "/dashboard/{file}", true, "a part of the dashboard", a.dashboardFile},
		{get, "/livez", true, "whether the process answers", a.live},
		{get, "/readyz", true, "whether it serves and does not mean to stop", a.ready},
		{get, "/openapi.json", false, "this API, for machines", a.openAPI},
		{get, "/status", false, "all counters of the current generation", a.status},
		{get, "/metrics", false, "what is counted, for Prometheus", a.metrics()},
		{get, "/stats", false, "what is counted, as JSON", a.stats},
		{get, "/refusals", false, "how requests ended badly, by whom, and why", a.refusedKinds},
		{get, "/routes", false, "the routes in the order of precedence, with their chains", a.routes},
		{get, "/explain", false, "which route a request goes to, and why", a.explain},
		{get, "/plugins", false, "the plugins, with what they use and how they failed", a.plugins},
		{get, "/plugins/{name}", false, "one plugin", a.plugin},
		{get, "/upstreams", false, "the upstreams with their endpoints", a.upstreams},
		{get, "/upstreams/{name}", false, "one upstream", a.upstream},
		{post, "/upstreams/{name}/endpoints/{address}/drain", false, "take an endpoint out of service, or put it back", a.drain},
		{put, "/upstreams/{name}/endpoints/{address}/weight", false, "give an endpoint another weight, or that of the config again", a.weigh},
		{get, "/config", false, "the config as it is in force, without secrets", a.config},
		{get, "/config/history", false, "how configs came into force, or did not", a.history},
		{get, "/config/diff", false, "what differs between two generations", a.diff},
		{post, "/reload", false, "read the config again and put it in force", a.reload},
		{get, "/log-level", false, "the level of the gateway's log", a.logLevel},
		{put, "/log-level", false, "change it", a.setLogLevel},
		{get, "/debug/pprof/{$}", false, "the profiles of the process that there are", a.profiles},
		{get, "/debug/pprof/{name}", false, "a profile of the process, for go tool pprof", a.profile},
	}
}

func (a *api) live(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok") }

func (a *api) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case a.Gateway.Ready():
		writeText(w, http.StatusOK, "ready")
	case a.Gateway.Current() == nil:
		writeText(w, http.StatusServiceUnavailable, "not ready: there is no config yet")
	default:
		writeText(w, http.StatusServiceUnavailable, "not ready: draining")
	}
}

func (a *api) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI) // the client may have gone; nothing follows from it
}

func (a *api) routes(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("ETag", a.etag())
	writeJSON(w, http.StatusOK, map[string]any{"routes": a.Gateway.Routes()})
}

func (a *api) explain(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked := gateway.Asked{Method: query.Get("method"), URL: query.Get("url"), Fields: query["header"]}
	if asked.Method == "" {
		asked.Method = http.MethodGet
	}
	explained, err := a.Gateway.Explain(asked)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, explained)
}

func (a *api) plugins(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"plugins": a.Gateway.Plugins()})
}

func (a *api) plugin(w http.ResponseWriter, r *http.Request) {
	for _, p := range a.Gateway.Plugins() {
		if p.Name == r.PathValue("name") {
			writeJSON(w, http.StatusOK, p)
			return
		}
	}
	fail(w, http.StatusNotFound, "no route uses a plugin of that name")
}
