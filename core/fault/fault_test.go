package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestFrom(t *testing.T) {
	known := New(BadGateway, Upstream, "reset")
	tests := []struct {
		name string
		err  error
		kind Kind
		is   error
	}{
		{"a fault", known, BadGateway, known},
		{"a wrapped fault", fmt.Errorf("sending: %w", known), BadGateway, known},
		{"any other error", io.ErrUnexpectedEOF, Internal, io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := From(test.err)
			if got.Kind != test.kind || !errors.Is(got, test.is) {
				t.Errorf("got %v, want kind %v of %v", got, test.kind, test.is)
			}
		})
	}
	if From(nil) != nil {
		t.Error("From(nil) is not nil")
	}
}

func TestEveryKindHasItsText(t *testing.T) {
	seen := map[string]Kind{}
	for i := range kindTexts {
		k := Kind(i)
		if k.String() == "" || k.Title() == "" || k.Status() < 400 || k.Status() > 599 {
			t.Errorf("kind %d: %q, %q, %d", i, k, k.Title(), k.Status())
		}
		if other, ok := seen[k.String()]; ok {
			t.Errorf("kinds %d and %d are both %q", other, k, k)
		}
		seen[k.String()] = k
	}
}

func TestError(t *testing.T) {
	tests := []struct {
		fault *Fault
		want  string
	}{
		{New(NotFound, Client, "no route"), "not_found (client): no route"},
		{Wrap(BadGateway, Upstream, io.EOF), "bad_gateway (upstream): EOF"},
		{&Fault{Kind: Unavailable, Side: Plugin, Reason: "busy", Err: io.EOF}, "unavailable (plugin): busy: EOF"},
	}
	for _, test := range tests {
		if got := test.fault.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
