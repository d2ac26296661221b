package metrics

import (
	"sync/atomic"
	"time"
)

// maxSeries is how many outcomes of one route or upstream have a histogram of their own. Beyond, only classes of status are told apart.
const maxSeries = 64

// series are the histograms of a route or an upstream, by label. There are seldom more than three, so a list is searched fastest. It is
// replaced when one more is needed.
type series struct {
	list atomic.Pointer[[]labelled]
}

type labelled struct {
	label     label
	histogram histogram
}

func (s *series) observe(b *Book, l label, shard uint32, d time.Duration) {
	if list := s.list.Load(); list != nil {
		for i := range *list {
			if (*list)[i].label == l {
				(*list)[i].histogram.observe(shard, d)
				return
			}
		}
	}
	h := s.add(b, l)
	h.observe(shard, d)
}

// add returns the histogram of l, or of what stands for it.
func (s *series) add(b *Book, l label) histogram {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []labelled
	if now := s.list.Load(); now != nil {
		list = *now
	}
	if h, ok := find(list, l); ok { // somebody was faster
		return h
	}
	if len(list) >= maxSeries {
		l = l.coarse()
		if h, ok := find(list, l); ok {
			return h
		}
	}
	h := newHistogram(b.durations, b.shards)
	next := append(list[:len(list):len(list)], labelled{l, h})
	s.list.Store(&next)
	return h
}

func find(list []labelled, l label) (histogram, bool) {
	for i := range list {
		if list[i].label == l {
			return list[i].histogram, true
		}
	}
	return histogram{}, false
}

// Series is a picture of one histogram of durations.
type Series struct {
	Labels
	Histogram
}

func (s *series) read() []Series {
	list := s.list.Load()
	if list == nil {
		return nil
	}
	pictures := make([]Series, len(*list))
	for i := range *list {
		pictures[i] = Series{(*list)[i].label.labels(), (*list)[i].histogram.read()}
	}
	return pictures
}
