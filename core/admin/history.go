package admin

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/core/config"
)

const (
	// keptGenerations and keptRefusals are how many are remembered, each by itself: a file that is wrong for long drives out nothing.
	keptGenerations = 16
	keptRefusals    = 16
	// keptParts is how many routes and upstreams the configs may have together that are kept to be compared. The last two always are.
	keptParts = 50_000
)

// Attempt is one time that a config was to be put in force.
type Attempt struct {
	Generation uint64         `json:"generation,omitempty"` // none when it was refused
	Time       time.Time      `json:"time"`
	Hash       string         `json:"hash,omitempty"` // SHA-256 of the file; none when it could not be read
	Source     string         `json:"source"`         // "start", "file", "SIGHUP", "API"
	Who        string         `json:"who,omitempty"`  // has asked for it
	OK         bool           `json:"ok"`
	Error      string         `json:"error,omitempty"`
	Errors     []config.Error `json:"errors,omitempty"` // with their places
	Comparable bool           `json:"comparable"`       // the config is still kept, for /config/diff
}

// History remembers how configs came into force, or did not. It may be used by many goroutines.
type History struct {
	mu       sync.Mutex
	taken    []entry // the oldest first
	refusals []entry
}

type entry struct {
	Attempt
	config *config.Config // nil: it is not kept any more
}

// Add notes an attempt: cfg is what was read, nil if nothing could be; err is why it was refused.
func (h *History) Add(a Attempt, cfg *config.Config, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.Time, a.OK = time.Now(), err == nil
	if cfg != nil {
		a.Hash = cfg.Hash()
	}
	if err == nil {
		h.taken = last(append(h.taken, entry{a, cfg}), keptGenerations)
		h.forget()
		return
	}
	a.Generation, a.Error = 0, err.Error()
	var list config.Errors
	if errors.As(err, &list) {
		a.Errors = list
	}
	h.refusals = last(append(h.refusals, entry{a, nil}), keptRefusals)
}

func last(list []entry, n int) []entry {
	return slices.Clone(list[max(0, len(list)-n):])
}

// forget lets go of configs that take too much memory together.
func (h *History) forget() {
	parts := 0
	for i := len(h.taken) - 1; i >= 0; i-- {
		cfg := h.taken[i].config
		if cfg == nil {
			continue
		}
		parts += len(cfg.Routes) + len(cfg.Upstreams)
		if i < len(h.taken)-2 && parts > keptParts {
			h.taken[i].config = nil
		}
	}
}

// List returns what is remembered, the latest first.
func (h *History) List() []Attempt {
	if h == nil {
		return []Attempt{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []Attempt{}
	for _, e := range slices.Concat(h.taken, h.refusals) {
		e.Comparable = e.config != nil
		list = append(list, e.Attempt)
	}
	slices.SortStableFunc(list, func(a, b Attempt) int { return b.Time.Compare(a.Time) })
	return list
}

// Config returns the config of a generation, nil if it is not kept.
func (h *History) Config(generation uint64) *config.Config {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.taken {
		if e.Generation == generation {
			return e.config
		}
	}
	return nil
}

// before returns the last generation before another that can be compared with it, 0 if there is none.
func (h *History) before(generation uint64) (former uint64) {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.taken {
		if e.Generation < generation && e.config != nil {
			former = e.Generation
		}
	}
	return former
}
