package main

import (
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

func TestHeader(t *testing.T) {
	tests := []struct {
		name, config, header, want string
	}{
		{"default", `{}`, "X-First-Plugin", "hello from the sandbox"},
		{"configured", `{"header": "X-Greeting", "value": "good day"}`, "X-Greeting", "good day"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sallyporttest.Configure(t, configure, tt.config)
			x := sallyporttest.NewExchange("GET", "/")
			if verdict, err := p.Request(x); verdict != sallyport.Continue || err != nil {
				t.Fatalf("Request: %v, %v", verdict, err)
			}
			if err := p.Response(x); err != nil {
				t.Fatal(err)
			}
			if got := x.Request.Get(tt.header); got != tt.want {
				t.Errorf("request: %s = %q, want %q", tt.header, got, tt.want)
			}
			if got := x.Response.Get(tt.header); got != tt.want {
				t.Errorf("response: %s = %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	got := sallyporttest.Refusal(t, configure, `{"heather": "X"}`)
	if want := "/heather is not a known key"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
