package plugin

import (
	"io"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
)

// A chunk that is tried again comes to the fresh instance as it came to the first one.
func TestRetriedChunkIsAsItCame(t *testing.T) {
	pool, _ := newPoolOf(t, "chunkflaky", Limits{})
	x := newExchange()
	x.Resp.Status = 200
	x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: inPieces("a", "b")}
	if err := pool.Filter("test", chain.Deny).Response(x, 0); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(&x.Resp.Body)
	if string(got) != "newnewnew" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if stats := pool.Stats(); stats.Retried != 2 {
		t.Errorf("not as much was tried again as should be: %+v", stats)
	}
}

// The request's chunks run beside the rest of the exchange: they must not touch what filters keep there.
func TestRequestChunksTouchNothingElse(t *testing.T) {
	pool, _ := newPoolOf(t, "chunkflaky", Limits{})
	x := newExchange()
	x.Req.Body = exchange.Body{Length: exchange.Unknown, Source: inPieces("a")}
	if _, err := pool.Filter("test", chain.Deny).Request(x, 5); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, &x.Req.Body)
		read <- err
	}()
	for place := range 10 {
		*x.Slot(place) = place
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}
