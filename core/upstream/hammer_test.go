package upstream

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

// TestHammer runs every kind of exchange at once against servers that also cut connections; each answer must be the
// one to its own request, and in the end nothing may be counted in flight.
func TestHammer(t *testing.T) {
	const workers, rounds = 8, 150
	server := func() string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/cut" {
				panic(http.ErrAbortHandler)
			}
			if r.URL.Path == "/early" {
				http.Error(w, "early", http.StatusForbidden)
				return
			}
			content, _ := io.ReadAll(r.Body)
			if r.URL.Path == "/flush" {
				w.(http.Flusher).Flush()
			}
			fmt.Fprintf(w, "%s %s", r.URL.RawQuery, content)
		}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	o := group(server(), server())
	o.Policy, o.Retries, o.MaxIdle = "least_request", 2, 4
	u := open(t, o)
	t.Cleanup(u.Close) // before the servers, which wait for their connections
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for round := range rounds {
				hammerOnce(t, u, worker, round)
			}
		})
	}
	wait.Wait()
	for _, e := range u.Endpoints() {
		if e.Active != 0 {
			t.Errorf("%s: %d in flight at the end, want 0", e.Address, e.Active)
		}
	}
}

func hammerOnce(t *testing.T, u *Upstream, worker, round int) {
	id := fmt.Sprintf("id=%d.%d", worker, round)
	x := request("GET", [...]string{"/", "/flush", "/cut", "/early", "/"}[round%5])
	x.Req.Query = id
	want := id + " "
	if round%3 != 0 {
		long := strings.Repeat(id, 1+round%3*4000)
		feed := newFeed(long)
		close(feed.pieces)
		x.Req.Body = exchange.Body{Length: exchange.Unknown, Held: []byte(id), Source: feed}
		want += id + long
	}
	defer x.Resp.Reset()
	if f := u.Do(x, Send{}); f != nil {
		if x.Req.Path == "/" || x.Req.Path == "/flush" {
			// A server may close a kept connection under a streamed body: then there is no second chance.
			if !strings.Contains(f.Error(), "closed the connection") || round%3 == 0 {
				t.Errorf("%s %s: %v", x.Req.Path, id, f)
			}
		}
		return
	}
	content, err := io.ReadAll(&x.Resp.Body)
	switch {
	case x.Resp.Status != 200:
	case err != nil:
		t.Errorf("%s %s: %v", x.Req.Path, id, err)
	case string(content) != want:
		t.Errorf("%s %s: got %d bytes %.40q, want %d", x.Req.Path, id, len(content), content, len(want))
	}
}
