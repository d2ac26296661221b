package admin

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/diff"
)

// EffectiveConfig is the answer of GET /config.
type EffectiveConfig struct {
	Generation uint64            `json:"generation"`
	Hash       string            `json:"hash"` // SHA-256 of the file
	File       string            `json:"file"`
	Built      time.Time         `json:"built"`
	Config     *config.Setting   `json:"config"`
	Origins    map[string]string `json:"origins"` // LINE:COL by key path, of what stands in the file; all else is a default or follows from others
}

func (a *api) config(w http.ResponseWriter, _ *http.Request) {
	s := a.Gateway.Current()
	if s == nil {
		fail(w, http.StatusServiceUnavailable, "there is no config yet")
		return
	}
	c := EffectiveConfig{s.Generation, s.Config.Hash(), s.Config.File, s.Built, s.Config.Effective(), map[string]string{}}
	c.Config.Leaves(func(leaf *config.Setting) {
		if leaf.Place != (config.Place{}) {
			c.Origins[leaf.Key] = fmt.Sprintf("%d:%d", leaf.Place.Line, leaf.Place.Col)
		}
	})
	w.Header().Set("ETag", a.etag())
	writeJSON(w, http.StatusOK, c)
}

func (a *api) history(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"history": a.History.List()})
}

// Difference is the answer of GET /config/diff.
type Difference struct {
	From    uint64        `json:"from"`
	To      uint64        `json:"to"`
	Changes []diff.Change `json:"changes"`
}

// diff compares the current generation with the one before, unless the query says otherwise.
func (a *api) diff(w http.ResponseWriter, r *http.Request) {
	d := Difference{Changes: []diff.Change{}}
	if s := a.Gateway.Current(); s != nil {
		d.To = s.Generation
	}
	if !number(w, r, "to", &d.To) {
		return
	}
	d.From = a.History.before(d.To)
	if !number(w, r, "from", &d.From) {
		return
	}
	before, after := a.History.Config(d.From), a.History.Config(d.To)
	if before == nil || after == nil {
		fail(w, http.StatusNotFound, "one of the generations is not kept any more, or never was: see /config/history for those that are comparable")
		return
	}
	d.Changes = append(d.Changes, diff.Of(before, after)...)
	writeJSON(w, http.StatusOK, d)
}

// number reads a generation from the query, if it is there.
func number(w http.ResponseWriter, r *http.Request, name string, into *uint64) bool {
	text := r.URL.Query().Get(name)
	if text == "" {
		return true
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		fail(w, http.StatusBadRequest, name+" must be the number of a generation")
		return false
	}
	*into = n
	return true
}
