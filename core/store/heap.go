package store

import "container/heap"

// endHeap has the entries that expire, the first to do so at its top. Each knows its place.
type endHeap []*entry

// fix brings e to where its end belongs: in, out, or elsewhere in the heap.
func (h *endHeap) fix(e *entry) {
	switch in := e.place != notInHeap; {
	case in && e.end == never:
		heap.Remove(h, e.place)
	case in:
		heap.Fix(h, e.place)
	case e.end != never:
		heap.Push(h, e)
	}
}

// Len is part of heap.Interface.
func (h endHeap) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h endHeap) Less(i, j int) bool { return h[i].end < h[j].end }

// Swap is part of heap.Interface.
func (h endHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is part of heap.Interface.
func (h *endHeap) Push(e any) {
	entry := e.(*entry)
	entry.place = len(*h)
	*h = append(*h, entry)
}

// Pop is part of heap.Interface.
func (h *endHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.place = notInHeap
	return e
}
