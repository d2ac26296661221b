// Package canary holds only the test of the example.
package canary

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/examples/exampletest"
)

func TestExample(t *testing.T) {
	e := exampletest.Start(t)
	e.Readme(8)
	e.Until("the canary got a copy of the search", func() bool { return copies(t, e) > 0 })
	promote(t, e)
}

// promote goes the way that the README tells, from 5 of 100 to all and back, while clients keep asking: none is lost, and who is with the canary stays.
func promote(t *testing.T, e *exampletest.Example) {
	var served atomic.Int64
	var stop atomic.Bool
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop.Store(true)
	for i := range 8 {
		wait.Go(func() {
			for n := 0; !stop.Load(); n++ {
				if _, err := endpoint(e, fmt.Sprintf("u%d-%d", i, n%50)); err != nil {
					t.Errorf("lost: %v", err)
					return
				}
				served.Add(1)
			}
		})
	}
	before := users(t, e)
	for _, step := range [][2]string{
		{`weight = 95 }`, `weight = 50 }`}, {`weight = 5 }`, `weight = 50 }`},
		{"  { upstream = \"stable\", weight = 50 },\n", ""},
	} {
		e.Edit(step[0], step[1])
		after := users(t, e)
		for user := range before {
			if before[user] && !after[user] {
				t.Errorf("after %s: %s has left the canary", step[1], user)
			}
		}
		before = after
		goal := served.Load() + 100
		e.Until("requests went through", func() bool { return served.Load() > goal || t.Failed() })
	}
	for user, canary := range before {
		if !canary {
			t.Errorf("%s is not with the canary, where all are now", user)
		}
	}
	e.Edit(`  { upstream = "canary", weight = 50 },`, `  { upstream = "stable" },`)
	for user, canary := range users(t, e) {
		if canary {
			t.Errorf("%s is still with the canary", user)
		}
	}
}

// users tells of two hundred users who of them is with the canary.
func users(t *testing.T, e *exampletest.Example) map[string]bool {
	t.Helper()
	with := map[string]bool{}
	for i := range 200 {
		user := fmt.Sprintf("user-%d", i)
		got, err := endpoint(e, user)
		if err != nil {
			t.Fatal(err)
		}
		with[user] = got == e.Address("9002")
	}
	return with
}

// endpoint returns who answers a user.
func endpoint(e *exampletest.Example, user string) (string, error) {
	r, err := http.NewRequest("GET", "http://"+e.Address("8080")+"/api/x", strings.NewReader(""))
	if err != nil {
		return "", err
	}
	r.Header.Set("X-User", user)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	var answer struct{ Endpoint string }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Endpoint, err
}

// copies returns how many requests of the route search were copied.
func copies(t *testing.T, e *exampletest.Example) int {
	t.Helper()
	resp, err := http.Get("http://" + e.Address("9901") + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var status struct {
		Gateway struct {
			Traffic map[string]struct{ Mirror struct{ Sent int } }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&status); err != nil {
		t.Fatal(err)
	}
	return status.Gateway.Traffic["search"].Mirror.Sent
}
