package route

import "strings"

// prefixes are the catch-alls whose segments are literal otherwise, by the text before the "*", slash included. Most routes of a gateway
// are such; httprouter would need memory for their one parameter at each request.
type prefixes struct {
	slots   map[string]*slot
	longest int // bytes of the longest key
}

// add puts a slot under a shape; it reports false when the shape is not of this kind.
func (p *prefixes) add(s *shape, found *slot) bool {
	last := len(s.segments) - 1
	for i, segment := range s.segments {
		if w := wildness(segment); w == 1 || (w == 2) != (i == last) {
			return false
		}
	}
	key := strings.TrimSuffix(s.key(), "*")
	if p.slots == nil {
		p.slots = map[string]*slot{}
	}
	p.slots[key] = found
	p.longest = max(p.longest, len(key))
	return true
}

// next returns the slot of the longest prefix of path that is shorter than end bytes, nil if there is none, and its length. Looking no
// further than the longest key keeps a path of thousands of slashes from costing their square.
func (p *prefixes) next(path string, end int) (*slot, int) {
	if p.slots == nil {
		return nil, 0
	}
	for end = min(end-1, p.longest); end > 0; end-- {
		if path[end-1] != '/' {
			continue
		}
		if found := p.slots[path[:end]]; found != nil {
			return found, end
		}
	}
	return nil, 0
}
