package balance

import "math/rand/v2"

// random draws members by weight.
type random struct{ shares }

func (r *random) pick(_ uint64, tried []int) int {
	if len(tried) > 0 {
		return r.place(r.drawUntried(rand.Uint32(), tried))
	}
	return r.places[r.draw(rand.Uint32())]
}
