package route

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/julienschmidt/httprouter"
)

// anyMethod is the only method in the trees: methods are predicates here, since a path may have routes for several.
const anyMethod = "ANY"

// tree is a httprouter with the paths that get along in it. httprouter refuses, by panic, a parameter beside anything
// else at the same place, so what it would refuse is found first, and goes to another tree.
type tree struct {
	router *httprouter.Router
	root   node
}

// node is a place in a path; its children are all literal, or it has a single one that is not.
type node struct {
	children map[string]*node
	wild     bool
}

func newTree() *tree {
	return &tree{router: httprouter.New()}
}

// fits reports whether the segments can be added.
func (t *tree) fits(segments []string) bool {
	n := &t.root
	for _, segment := range segments {
		next := n.children[segment]
		if next == nil {
			return len(n.children) == 0 || (!n.wild && wildness(segment) == 0)
		}
		n = next
	}
	return true
}

// add puts a slot under a shape that fits and is not there yet.
func (t *tree) add(s *shape, found *slot) (err error) {
	n := &t.root
	for _, segment := range s.segments {
		next := n.children[segment]
		if next == nil {
			next = &node{}
			if n.children == nil {
				n.children = map[string]*node{}
			}
			n.children[segment] = next
			n.wild = wildness(segment) > 0
		}
		n = next
	}
	// A pattern that fits is taken; should httprouter see it otherwise, a config file must still not take the process down.
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the path cannot be routed: %v", reason)
		}
	}()
	t.router.Handle(anyMethod, s.router(), func(w http.ResponseWriter, _ *http.Request, _ httprouter.Params) {
		w.(*carrier).found = found
	})
	return nil
}

// lookup returns the slot that the path leads to, nil if none, and the parameters' values.
func (t *tree) lookup(path string, c *carrier) (*slot, httprouter.Params) {
	handle, params, _ := t.router.Lookup(anyMethod, path)
	if handle == nil {
		return nil, nil
	}
	for i := range params { // httprouter lets a parameter be empty before a slash
		if params[i].Value == "" {
			return nil, nil
		}
	}
	c.found = nil
	handle(c, nil, nil)
	return c.found, params
}

// carrier brings a slot out of a httprouter.Handle, which returns nothing.
type carrier struct {
	http.ResponseWriter // nil: a handle of ours does not write
	found               *slot
}

// hostname is the host without port and the root's dot; it is lower case already.
func hostname(host string) string {
	if end := strings.LastIndexByte(host, ':'); end >= 0 && strings.IndexByte(host[end:], ']') < 0 {
		host = host[:end]
	}
	return strings.TrimSuffix(host, ".")
}
