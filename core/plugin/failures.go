package plugin

import (
	"strings"
	"sync"
	"time"
)

const (
	// keptFailures is how many of a plugin's failures are remembered.
	keptFailures = 8
	// maxStack is how many bytes are told of what the guest's stack was.
	maxStack = 4 << 10
)

// FailureRecord is a hook that failed, with where and when. Its texts are for operators only.
type FailureRecord struct {
	Time      time.Time
	Route     string
	Where     string // the filter's key path in gateway.toml
	RequestID string
	Export    string
	Cause     Cause
	Retried   bool   // another instance was to try it once more
	Error     string // in one line
	Stack     string // of the guest, as far as it is known
}

// failures remembers the last ones of a plugin.
type failures struct {
	mu   sync.Mutex
	list [keptFailures]keptFailure
	next int
}

// keptFailure is as little work as can be: a text is made of it when somebody asks.
type keptFailure struct {
	record  FailureRecord
	failure *Failure
}

func (f *failures) add(r FailureRecord, failure *Failure) {
	r.RequestID = strings.Clone(r.RequestID) // it may point into a head that is read over
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list[f.next%keptFailures] = keptFailure{r, failure}
	f.next++
}

// Failures returns the last failures of the plugin's hooks, the latest first.
func (p *Plugin) Failures() []FailureRecord {
	f := &p.failures
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []FailureRecord
	for i := f.next - 1; i >= max(0, f.next-keptFailures); i-- {
		kept := f.list[i%keptFailures]
		r := kept.record
		r.Export, r.Cause, r.Error = kept.failure.Export, kept.failure.Cause, kept.failure.Error()
		_, r.Stack, _ = strings.Cut(kept.failure.Err.Error(), "\n")
		r.Stack = strings.ToValidUTF8(r.Stack[:min(len(r.Stack), maxStack)], "\uFFFD")
		list = append(list, r)
	}
	return list
}
