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

// diff compares two generations: the current one, unless the query says otherwise, with the last before it that differs. (A file that is
// saved and then reloaded by hand as well makes two generations that do not.)
func (a *api) diff(w http.ResponseWriter, r *http.Request) {
	d := Difference{Changes: []diff.Change{}}
	if s := a.Gateway.Current(); s != nil {
		d.To = s.Generation
	}
	if !number(w, r, "to", &d.To) || !number(w, r, "from", &d.From) {
		return
	}
	chosen := r.URL.Query().Get("from") != ""
	if !chosen {
		d.From = a.History.before(d.To)
	}
	after := a.History.Config(d.To)
	if !chosen && d.From == 0 && after != nil {
		fail(w, http.StatusNotFound, fmt.Sprintf("there is nothing to compare generation %d with: no one before it is kept", d.To))
		return
	}
	before := a.History.Config(d.From)
	if before == nil || after == nil {
		fail(w, http.StatusNotFound, "one of the generations is not kept any more, or never was: see /config/history for those that are comparable")
		return
	}
	d.Changes = append(d.Changes, diff.Of(before, after)...)
	if !chosen {
		a.reachBack(&d, after)
	}
	writeJSON(w, http.StatusOK, d)
}

// reachBack compares with earlier generations until one differs.
func (a *api) reachBack(d *Difference, after *config.Config) {
	for len(d.Changes) == 0 {
		earlier := a.History.before(d.From)
		before := a.History.Config(earlier)
		if before == nil {
			return
		}
		d.From = earlier
		d.Changes = append(d.Changes, diff.Of(before, after)...)
	}
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
