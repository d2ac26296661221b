package backend

import "sync/atomic"

// turn counts exchanges and spreads them evenly: any run of them is shared out nearly as asked, without a run of one share.
type turn struct {
	n atomic.Uint64
}

// next returns a number below total. Successive multiples of the golden ratio lie as evenly as numbers can (Weyl).
func (t *turn) next(total uint32) uint32 {
	return scale(uint32(t.n.Add(1)*0x9E3779B97F4A7C15>>32), total)
}

// scale maps the whole range of a uint32 evenly to 0…total-1.
func scale(point, total uint32) uint32 { return uint32(uint64(point) * uint64(total) >> 32) }
