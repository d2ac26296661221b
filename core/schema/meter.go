package schema

import "errors"

// What work costs, in units. They were measured, and are rather too high than too low.
const (
	costByte     = 8   // of a document, to parse it
	costValue    = 150 // to parse one
	costVisit    = 700 // a schema and a value that meet
	costBranch   = 400 // a schema that another one applies to the same value
	costMember   = 300 // a value below one that is met
	costNumber   = 400 // arithmetic with a number
	costDigit    = 12  // of it
	costText     = 20  // a byte of text, looked through once
	costFinding  = 500 // something found wrong
	costMetaNode = 30_000
)

// errSpent is what a meter stops a check with.
var errSpent = errors.New("work used up")

// meter counts the work of one check at a time.
type meter struct {
	left   int64
	digits int64 // the most that a number of the document can make arithmetic with
}

func (m *meter) begin(allowed int64) { m.left, m.digits = allowed, 0 }

// spend counts work, and ends the check when there was too much of it.
func (m *meter) spend(units int64) {
	if m.left < units {
		m.left = 0
		panic(errSpent)
	}
	m.left -= units
}

// size returns the number of values in one.
func size(value any) int64 {
	n := int64(1)
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			n += size(member)
		}
	case []any:
		for _, element := range v {
			n += size(element)
		}
	}
	return n
}
