package sallyport_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// checking asks about a password until somebody knows, and keeps all that it is told.
func checking(set, user, password string, told *[]error) sallyport.Configure {
	hook := func(r *sallyport.Request) (sallyport.Verdict, error) {
		err := sallyport.CheckPassword(set, user, password)
		*told = append(*told, err)
		if err == sallyport.ErrPending {
			return r.Wait()
		}
		return sallyport.Continue, nil
	}
	return func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: hook, ResumeRequest: hook}, nil
	}
}

func TestCheckPassword(t *testing.T) {
	w := &sallyporttest.World{Passwords: map[string]*sallyporttest.PasswordSet{
		"main": {Users: map[string]string{"jo": "hush"}}, "known": {Users: map[string]string{"jo": "hush"}, Known: true}, "busy": {Busy: true},
	}}
	pending := sallyport.ErrPending
	for _, tt := range []struct {
		set, user, password string
		want                []error
	}{
		{"main", "jo", "hush", []error{pending, nil}},
		{"main", "jo", "wrong", []error{pending, sallyport.ErrInvalid}},
		{"main", "eve", "hush", []error{pending, sallyport.ErrInvalid}},
		{"known", "jo", "hush", []error{nil}},
		{"known", "jo", "", []error{sallyport.ErrInvalid}},
		{"busy", "jo", "hush", []error{pending, sallyport.ErrUnavailable}},
		{"other", "jo", "hush", []error{sallyport.ErrNotGranted}},
		{"main", "jo", strings.Repeat("a", 513), []error{sallyport.ErrTooLarge}},
	} {
		var told []error
		p := sallyporttest.ConfigureIn(t, w, checking(tt.set, tt.user, tt.password, &told), "{}")
		if _, err := p.Request(sallyporttest.NewExchangeIn(w, "GET", "/")); err != nil {
			t.Fatal(err)
		}
		if len(told) != len(tt.want) {
			t.Fatalf("%+v: got %v", tt, told)
		}
		for i := range told {
			if told[i] != tt.want[i] {
				t.Errorf("%+v: got %v", tt, told)
			}
		}
	}
}

// A check that was begun and not waited for is under way in this hook, and answered in the next.
func TestPasswordChecksAreBounded(t *testing.T) {
	w := &sallyporttest.World{Passwords: map[string]*sallyporttest.PasswordSet{"main": {}}}
	hook := func(*sallyport.Request) (sallyport.Verdict, error) {
		for i := range 16 {
			for range 2 {
				if err := sallyport.CheckPassword("main", "jo", strings.Repeat("a", i+1)); err != sallyport.ErrPending {
					t.Errorf("%d: got %v", i, err)
				}
			}
		}
		if err := sallyport.CheckPassword("main", "jo", "one more"); err != sallyport.ErrTooLarge {
			t.Errorf("one more: got %v", err)
		}
		return sallyport.Continue, nil
	}
	p := sallyporttest.ConfigureIn(t, w, func([]byte) (sallyport.Hooks, error) { return sallyport.Hooks{Request: hook}, nil }, "{}")
	if _, err := p.Request(sallyporttest.NewExchangeIn(w, "GET", "/")); err != nil {
		t.Error(err)
	}
}
