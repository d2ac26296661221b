package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/telemetry"
)

// byKey is where a request's permission is kept.
type byKey struct{}

// byOf returns by what a request was permitted.
func byOf(r *http.Request) string {
	by, _ := r.Context().Value(byKey{}).(string)
	return by
}

func withBy(r *http.Request, by string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), byKey{}, by))
}

func (a *api) reload(w http.ResponseWriter, r *http.Request) {
	who := a.who(r) + " (" + byOf(r) + ")"
	if err := a.Reload(who); err != nil {
		a.audit(r, "reload", "refused", true)
		p := problem{Status: http.StatusUnprocessableEntity, Detail: "the config was refused, the old one stays", Errors: []config.Error{}}
		if !errors.As(err, (*config.Errors)(&p.Errors)) {
			p.Detail = err.Error()
		}
		p.write(w)
		return
	}
	a.audit(r, "reload", "generation", strings.Trim(a.etag(), `"`))
	w.Header().Set("ETag", a.etag())
	writeJSON(w, http.StatusOK, a.currentStatus())
}

// logLevelView is what the log level is, and what it is to be.
type logLevelView struct {
	Level      string `json:"level"`
	Configured string `json:"configured,omitempty"`
}

func (a *api) logLevel(w http.ResponseWriter, _ *http.Request) {
	if a.Level == nil {
		fail(w, http.StatusNotImplemented, "the level of this gateway's log cannot be told")
		return
	}
	v := logLevelView{Level: strings.ToLower(a.Level.Level().String())}
	if s := a.Gateway.Current(); s != nil {
		v.Configured = s.Config.Log.Level
	}
	writeJSON(w, http.StatusOK, v)
}

func (a *api) setLogLevel(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Level string `json:"level"`
	}
	if !read(w, r, &wanted) {
		return
	}
	level, err := telemetry.ParseLevel(wanted.Level)
	if err != nil || a.Level == nil {
		fail(w, http.StatusBadRequest, `say {"level": "debug"}, "info", "warn" or "error"`)
		return
	}
	before := a.Level.Level()
	a.Level.Set(min(before, level, slog.LevelInfo)) // so that the change itself is in the log
	a.audit(r, "log-level", "to", wanted.Level)
	a.Level.Set(level)
	a.logLevel(w, r)
}
