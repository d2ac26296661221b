package admin

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"time"
)

// Bounds of what profiling costs: it slows everything down while it runs.
const (
	maxProfile = 60
	maxTrace   = 10
)

func (a *api) profiles(w http.ResponseWriter, _ *http.Request) {
	names := []string{"profile", "trace"}
	for _, p := range pprof.Profiles() {
		names = append(names, p.Name())
	}
	slices.Sort(names)
	writeJSON(w, http.StatusOK, map[string]any{"profiles": names})
}

func (a *api) profile(w http.ResponseWriter, r *http.Request) {
	select {
	case a.profiling <- struct{}{}:
		defer func() { <-a.profiling }()
	default:
		fail(w, http.StatusConflict, "another profile is being taken")
		return
	}
	switch name := r.PathValue("name"); name {
	case "profile":
		a.record(w, r, 30, maxProfile, func() error { return pprof.StartCPUProfile(w) }, pprof.StopCPUProfile)
	case "trace":
		a.record(w, r, 1, maxTrace, func() error { return trace.Start(w) }, trace.Stop)
	default:
		lookUp(w, r, name)
	}
}

// record takes a profile for as many seconds as the query says.
func (a *api) record(w http.ResponseWriter, r *http.Request, usual, most int, start func() error, stop func()) {
	seconds := usual
	if text := r.URL.Query().Get("seconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			fail(w, http.StatusBadRequest, fmt.Sprintf("seconds must be from 1 to %d", most))
			return
		}
		seconds = n
	}
	span := time.Duration(seconds) * time.Second
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(span + answerTime)) // a test's recorder has none
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := start(); err != nil {
		fail(w, http.StatusConflict, "it cannot be taken now: "+err.Error())
		return
	}
	defer stop()
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}

// lookUp writes a profile that the process keeps all the time.
func lookUp(w http.ResponseWriter, r *http.Request, name string) {
	p := pprof.Lookup(name)
	if p == nil {
		fail(w, http.StatusNotFound, "there is no such profile: see /debug/pprof/")
		return
	}
	if name == "heap" && r.URL.Query().Get("gc") != "" {
		runtime.GC()
	}
	debug, _ := strconv.Atoi(r.URL.Query().Get("debug")) // 0 for none
	w.Header().Set("Content-Type", "application/octet-stream")
	if debug > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	_ = p.WriteTo(w, debug) // the client may have gone; nothing follows from it
}
