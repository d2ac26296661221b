package sallyport_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/sdk/go"
	"github.com/sallyport/sallyport/sdk/go/sallyporttest"
)

// outcome is what a check has come to, in a word.
func outcome(wrong []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return "found " + string(wrong)
}

func TestCheckJSON(t *testing.T) {
	noA := func(document []byte) string {
		if bytes.Contains(document, []byte(`"a"`)) {
			return ""
		}
		return `[{"pointer":"","keyword":"required","message":"must have \"a\""}]`
	}
	long := func([]byte) string { return strings.Repeat("x", 9<<10) }
	w := &sallyporttest.World{Schemas: map[string]*sallyporttest.Schema{
		"order": {Check: noA, Most: 20}, "any": {}, "down": {Down: true}, "long": {Check: long},
	}}
	var got []string
	check := func(schema, document string) {
		wrong, err := sallyport.CheckJSON(schema, []byte(document))
		got = append(got, outcome(wrong, err))
	}
	request := func(r *sallyport.Request) (sallyport.Verdict, error) {
		check("order", `{"a":1}`)
		check("order", `{}`)
		check("order", `{"a":"0123456789abcdef"}`)
		check("any", `whatever`)
		check("any", strings.Repeat(" ", 1<<20+1))
		check("down", `{}`)
		check("other", `{}`)
		wrong, err := sallyport.CheckJSON("long", nil)
		got = append(got, outcome(wrong[9<<10-1:], err))
		wrong, err = r.Body.Check("order")
		got = append(got, outcome(wrong, err))
		return sallyport.Continue, nil
	}
	configure := func([]byte) (sallyport.Hooks, error) {
		return sallyport.Hooks{Request: request, RequestBody: true}, nil
	}
	p := sallyporttest.ConfigureIn(t, w, configure, `{}`)
	x := sallyporttest.NewExchangeIn(w, "POST", "/")
	x.RequestBody = `{"b":1}`
	if _, err := p.Request(x); err != nil {
		t.Fatal(err)
	}
	const lacks = `found [{"pointer":"","keyword":"required","message":"must have \"a\""}]`
	large, unavailable := sallyport.ErrTooLarge.Error(), sallyport.ErrUnavailable.Error()
	want := []string{"found ", lacks, large, "found ", large, unavailable, sallyport.ErrNotGranted.Error(), "found x", lacks}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
