package admin

import (
	"encoding/json"
	"net/http"

	"github.com/sallyport/sallyport/core/gateway"
)

func (a *api) upstreams(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"upstreams": a.Gateway.Upstreams()})
}

func (a *api) upstream(w http.ResponseWriter, r *http.Request) {
	if u := a.findUpstream(r.PathValue("name")); u != nil {
		writeJSON(w, http.StatusOK, u)
		return
	}
	fail(w, http.StatusNotFound, "there is no upstream of that name")
}

func (a *api) findUpstream(name string) *gateway.UpstreamView {
	for _, u := range a.Gateway.Upstreams() {
		if u.Name == name {
			return &u
		}
	}
	return nil
}

// endpoint returns an upstream's endpoint, nil if there is none.
func (a *api) endpoint(r *http.Request) *gateway.EndpointStatus {
	u := a.findUpstream(r.PathValue("name"))
	if u == nil {
		return nil
	}
	for _, e := range u.Endpoints {
		if e.Address == r.PathValue("address") {
			return &e
		}
	}
	return nil
}

// change does something to the endpoint that the path names, and tells of it: the client how the endpoint is now, the log who has done what.
func (a *api) change(w http.ResponseWriter, r *http.Request, what string, to any, do func(upstream, address string) error) {
	upstream, address := r.PathValue("name"), r.PathValue("address")
	if a.endpoint(r) == nil {
		fail(w, http.StatusNotFound, "there is no such upstream, or it has no such endpoint")
		return
	}
	if err := do(upstream, address); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	a.audit(r, what, "upstream", upstream, "endpoint", address, "to", to)
	if e := a.endpoint(r); e != nil {
		writeJSON(w, http.StatusOK, e)
		return
	}
	w.WriteHeader(http.StatusNoContent) // it has gone meanwhile
}

func (a *api) drain(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Drain *bool `json:"drain"`
	}
	if !read(w, r, &wanted) {
		return
	}
	if wanted.Drain == nil {
		fail(w, http.StatusBadRequest, `say {"drain": true} or {"drain": false}`)
		return
	}
	a.change(w, r, "drain", *wanted.Drain, func(upstream, address string) error {
		return a.Gateway.DrainEndpoint(upstream, address, *wanted.Drain)
	})
}

func (a *api) weigh(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Weight json.RawMessage `json:"weight"`
	}
	if !read(w, r, &wanted) {
		return
	}
	weight := 0
	if text := string(wanted.Weight); text != "null" {
		if err := json.Unmarshal(wanted.Weight, &weight); err != nil || weight < 1 || weight > 1000 {
			fail(w, http.StatusBadRequest, `say {"weight": 3}, from 1 to 1000, or {"weight": null} for that of the config`)
			return
		}
	}
	a.change(w, r, "weight", weight, func(upstream, address string) error {
		return a.Gateway.WeighEndpoint(upstream, address, weight)
	})
}

// audit puts a change into the log.
func (a *api) audit(r *http.Request, what string, args ...any) {
	a.Log.Info("admin: changed", append([]any{"what", what, "from", a.who(r), "by", byOf(r)}, args...)...)
}
