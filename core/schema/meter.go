package schema

import "errors"

// What work costs, in units. They were measured, and are rather too high than too low.
const (
	costByte      = 8      // of a document, to parse it
	costValue     = 150    // to parse one
	costVisit     = 700    // a schema and a value that meet
	costBranch    = 400    // a schema that another one applies to the same value
	costMember    = 300    // a value below one that is met
	costNumber    = 400    // arithmetic with a number
	costDigit     = 12     // of it
	costText      = 20     // a byte of text, looked through once
	costFinding   = 500    // something found wrong
	costDepth     = 8      // a level of the document, for each schema that meets a value: what is wrong is told with its whole path
	costRegexp    = 20_000 // a byte of a regular expression in a document: ten of them can stand for a program of thousands of steps
	costMetaNode  = 30_000
	costMetaDepth = 1_000 // a level of the document, for each node: what "$dynamicRef" means is looked for in all of them
)

// errSpent is what a meter stops a check with.
var errSpent = errors.New("work used up")

// meter counts the work of one check at a time.
type meter struct {
	left   int64
	digits int64 // the most that a number of the document can make arithmetic with
	depth  int64 // of the document
	copies bool  // there is something "unevaluated": whatever an alternative makes of a value, the names of all members are copied for it first
}

func (m *meter) begin(allowed int64) { m.left, m.digits, m.depth = allowed, 0, 0 }

// spend counts work, and ends the check when there was too much of it.
func (m *meter) spend(units int64) {
	if m.left < units {
		m.left = 0
		panic(errSpent)
	}
	m.left -= units
}

// members counts work for each member or element of a value.
func (m *meter) members(value any, each int64) {
	switch v := value.(type) {
	case map[string]any:
		m.spend(int64(len(v)) * each)
	case []any:
		m.spend(int64(len(v)) * each)
	}
}

// metaCost is what it takes to check a document as a schema, in which there may be regular expressions.
func metaCost(value any, node int64) int64 {
	n := node
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			n += metaCost(member, node)
			switch inner := member.(type) {
			case string:
				if name == "pattern" {
					n += costRegexp * int64(len(inner))
				}
			case map[string]any:
				if name == "patternProperties" {
					for expression := range inner {
						n += costRegexp * int64(len(expression))
					}
				}
			}
		}
	case []any:
		for _, element := range v {
			n += metaCost(element, node)
		}
	}
	return n
}
