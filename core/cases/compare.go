package cases

import (
	"reflect"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// Difference is a value that is not as expected. Want is as in config.Expectation, Got a string, int64 or []string, or nil
// for what was not there.
type Difference struct {
	Path      string
	Key       string // key path in the file
	Want, Got any
}

func compare(expected []config.Expectation, seen *observation) (differences []Difference) {
	for _, e := range expected {
		if got := seen.get(e.Path); !fits(e.Want, got) {
			differences = append(differences, Difference{strings.Join(e.Path, "."), e.Key, e.Want, got})
		}
	}
	return differences
}

// fits reports whether a value is as expected: true stands for any, false for none.
func fits(want, got any) bool {
	if there, ok := want.(bool); ok {
		return there == (got != nil)
	}
	if want == "" && got == nil {
		return true // an empty text is as good as none
	}
	return reflect.DeepEqual(want, got)
}
