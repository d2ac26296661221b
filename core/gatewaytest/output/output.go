// Package output keeps what programs and goroutines under test write.
package output

import (
	"strings"
	"sync"
)

// Text is an io.Writer that keeps all it is given. The zero value is ready; any number of goroutines may write and read at once.
type Text struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer; it never fails.
func (t *Text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// String returns what was written so far.
func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
