package gateway

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

// refused is an exchange that has ended with a status.
func refused(at time.Time, route string, status int) *exchange.Exchange {
	x := &exchange.Exchange{Route: route}
	x.Times.Start, x.Resp.Status = at, status
	return x
}

func TestRefusalsAreCountedByKind(t *testing.T) {
	g, now := &Gateway{}, time.Unix(1_800_000_000, 0)
	for i, x := range []*exchange.Exchange{
		refused(now, "a", 200), refused(now, "a", 302), refused(now, "a", 404), refused(now.Add(time.Second), "a", 404), refused(now, "b", 404), refused(now, "a", 503),
	} {
		x.ID = fmt.Sprint(i)
		g.refusals.note(x)
	}
	cut := refused(now.Add(2*time.Second), "a", 200)
	cut.Fault = fault.New(fault.ClientGone, fault.Client, "has gone")
	g.refusals.note(cut)
	var got []string
	list, missed := g.Refusals()
	for _, r := range list {
		got = append(got, fmt.Sprintf("%s %d %d %s %s", r.Route, r.Status, r.Count, r.Example.RequestID, r.Example.Reason))
	}
	if want := "a 200 1  has gone|a 404 2 3 |a 503 1 5 |b 404 1 4 "; strings.Join(got, "|") != want || missed != 0 {
		t.Errorf("got  %s, %d missed\nwant %s", strings.Join(got, "|"), missed, want)
	}
}

// What a plugin's failure has no words for, since clients are told nothing, its cause has.
func TestRefusalByAFailedPluginTellsWhy(t *testing.T) {
	for side, want := range map[fault.Side]string{fault.Plugin: "on_request failed (fuel)", fault.Upstream: ""} {
		x := refused(time.Unix(1_800_000_000, 0), "a", 503)
		x.Fault = fault.Wrap(fault.Unavailable, side, errors.New("on_request failed (fuel)"))
		g := &Gateway{}
		g.refusals.note(x)
		if list, _ := g.Refusals(); list[0].Example.Reason != want {
			t.Errorf("%v: got %q, want %q", side, list[0].Example.Reason, want)
		}
	}
}

// Why a plugin has refused it says itself: by an attribute, which is of no interest where somebody else has answered.
func TestRefusalsTellWhatPluginsSay(t *testing.T) {
	long := strings.Repeat("é", maxRefusalText)
	tests := []struct {
		name, said, fault string
		by                exchange.By
		want              string
	}{
		{"a plugin says why", "The key is unknown", "", exchange.ByPlugin, "The key is unknown"},
		{"it does not", "", "", exchange.ByPlugin, ""},
		{"the upstream has answered", "The key is unknown", "", exchange.ByUpstream, ""},
		{"a fault came after it", "The key is unknown", "has gone", exchange.ByPlugin, "has gone"},
		{"more than is kept", long, "", exchange.ByPlugin, long[:maxRefusalText] + "…"},
	}
	for _, test := range tests {
		x := refused(time.Unix(1_800_000_000, 0), "a", 403)
		x.By = test.by
		if test.said != "" {
			x.SetAttr(RefusalAttr, test.said)
		}
		if test.fault != "" {
			x.Fault = fault.New(fault.ClientGone, fault.Client, test.fault)
		}
		g := &Gateway{}
		g.refusals.note(x)
		if list, _ := g.Refusals(); list[0].Example.Reason != test.want {
			t.Errorf("%s: got %q, want %q", test.name, list[0].Example.Reason, test.want)
		}
	}
}

// However many kinds there are, few are kept, and those that are not seen any more make room.
func TestRefusalsAreBounded(t *testing.T) {
	g, now := &Gateway{}, time.Unix(1_800_000_000, 0)
	for i := range 2 * maxRefusals {
		g.refusals.note(refused(now, fmt.Sprint(i), 404))
	}
	if list, missed := g.Refusals(); len(list) != maxRefusals || missed != maxRefusals {
		t.Errorf("%d are kept, %d missed", len(list), missed)
	}
	later := now.Add(2 * staleRefusal)
	g.refusals.note(refused(later, "new", 404))
	if list, _ := g.Refusals(); len(list) != 1 || list[0].Route != "new" {
		t.Errorf("got %+v", list)
	}
}

func TestRefusalsTellNoSecrets(t *testing.T) {
	long := "/" + strings.Repeat("é", maxRefusalText)
	for path, want := range map[string]string{
		"/a/b":                      "/a/b",
		"/a?token=hush":             "/a",
		"/a;jsessionid=hush/b;v=1;": "/a/b",
		"u:hush@h:443":              "",
		"http://u:hush@h/":          "",
		long:                        long[:maxRefusalText-1] + "…", // a letter is not cut in two
	} {
		x := refused(time.Unix(1_800_000_000, 0), "", 400)
		x.Asked.Path = path
		g := &Gateway{}
		g.refusals.note(x)
		if list, _ := g.Refusals(); list[0].Example.Path != want {
			t.Errorf("%q: got %q, want %q", path, list[0].Example.Path, want)
		}
	}
}
