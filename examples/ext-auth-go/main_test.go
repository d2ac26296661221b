package main

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// service lets jo read, and knows ann.
func service(r sallyporttest.FetchRequest) sallyporttest.FetchAnswer {
	user, a := r.Headers.Get("Authorization"), sallyporttest.FetchAnswer{Status: 200}
	switch {
	case r.Path == "/identity" && (user == "jo" || user == "ann"):
		a.Headers.Add("X-User", user)
	case r.Path == "/identity":
		a.Status = 401
	case user != "jo" || r.Headers.Get("X-Original-Method") != "GET" || r.Timeout != time.Second:
		a.Status = 403
	}
	return a
}

func world(serve func(sallyporttest.FetchRequest) sallyporttest.FetchAnswer) *sallyporttest.World {
	return &sallyporttest.World{Upstreams: map[string]func(sallyporttest.FetchRequest) sallyporttest.FetchAnswer{"auth": serve}}
}

func TestDecisions(t *testing.T) {
	w := world(service)
	p := sallyporttest.ConfigureIn(t, w, configure, `{"timeout_ms": 1000}`)
	for _, tt := range []struct {
		method, user string
		want         sallyport.Verdict
	}{
		{"GET", "jo", sallyport.Continue}, {"DELETE", "jo", sallyport.Respond}, {"GET", "ann", sallyport.Respond}, {"GET", "", sallyport.Respond},
	} {
		x := sallyporttest.NewExchangeIn(w, tt.method, "/orders")
		x.Request.Add("Authorization", tt.user)
		x.Request.Add("X-User", "root")
		verdict, err := p.Request(x)
		if verdict != tt.want || err != nil {
			t.Errorf("%s %s: got %v, %v", tt.method, tt.user, verdict, err)
		}
		if tt.want == sallyport.Continue && (x.Request.Get("X-User") != tt.user || x.Attrs["consumer"] != tt.user) {
			t.Errorf("%s: sent on %v, attributes %v", tt.user, x.Request, x.Attrs)
		}
		if tt.want == sallyport.Respond && x.Status != 403 {
			t.Errorf("%s %s: status %d", tt.method, tt.user, x.Status)
		}
	}
	if got := len(w.Observed["ext_auth_seconds"]); got != 4 {
		t.Errorf("observed %d times", got)
	}
}

// Whatever keeps the service from answering, nobody passes by it.
func TestServiceThatDoesNotAnswer(t *testing.T) {
	for _, fault := range []int32{-6, -7} {
		w := world(func(r sallyporttest.FetchRequest) sallyporttest.FetchAnswer {
			if r.Path == "/permission" {
				return sallyporttest.FetchAnswer{Fault: fault}
			}
			return service(r)
		})
		p := sallyporttest.ConfigureIn(t, w, configure, `{}`)
		x := sallyporttest.NewExchangeIn(w, "GET", "/")
		x.Request.Add("Authorization", "jo")
		if verdict, err := p.Request(x); err != sallyport.ErrorCode(fault) {
			t.Errorf("%d: got %v, %v", fault, verdict, err)
		}
	}
}
