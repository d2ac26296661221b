package plugin

import "github.com/sallyport/sallyport/core/exchange"

// kept is what a filter keeps in its slot of an exchange until that ends.
type kept struct {
	fetches *fetches
	seat    *seat
}

// keptOf returns it; with make it is made if it is not there, else nil then.
func keptOf(x *exchange.Exchange, place int, make bool) *kept {
	slot := x.Slot(place)
	k, _ := (*slot).(*kept)
	if k == nil && make {
		k = &kept{}
		*slot = k
	}
	return k
}

// Close lets go of all of it. It is called when the exchange ends.
func (k *kept) Close() error {
	if k.fetches != nil {
		k.fetches.abandon()
	}
	if k.seat != nil {
		k.seat.leave()
	}
	return nil
}
