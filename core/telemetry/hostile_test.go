package telemetry

import (
	"strings"
	"testing"
)

// What terminals obey and what would end a line never gets into one as it is.
func TestLinesHoldNoControls(t *testing.T) {
	x := ended()
	const evil = "a\x1b[2J\x9b31m\u009b31m\x7f\u0085\r\n\x00\u2028é\xff"
	x.Asked.Path, x.Asked.Query, x.Req.Host, x.Req.Method = "/"+evil, evil, evil, evil
	x.Req.Fields.Add("User-Agent", evil)
	x.Req.Fields.Add("Referer", evil)
	x.SetAttr("consumer", evil)
	for _, style := range []string{"json", "clf", "combined"} {
		got := lineOf(t, FormatOptions{Style: style, RequestHeaders: []string{"User-Agent", "Referer"}}, x)
		body, ended := strings.CutSuffix(got, "\n")
		if i := strings.IndexFunc(body, func(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f || r == '\ufffd' }); i >= 0 || !ended {
			t.Errorf("%s: control at %d of %q", style, i, got)
		}
		if style == "json" && !strings.Contains(got, "é") {
			t.Errorf("letters are gone: %s", got)
		}
	}
}

func TestParametersOfPathsAreHidden(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b":                            "/a/b",
		"/a;v=1/b;":                       "/a;v=1/b;",
		"/a;jsessionid=hush":              "/a;jsessionid=[redacted]",
		"/a;JSESSIONID=hush/b;x=1":        "/a;JSESSIONID=[redacted]/b;x=1",
		"/a;x=1;to%6ben=hush;more/b":      "/a;x=1;to%6ben=[redacted]/b",
		"/;token=hush/;token=hush;;token": "/;token=[redacted]/;token=[redacted]",
		"/a;token/;=;==":                  "/a;token/;=;==",
	} {
		x := ended()
		x.Asked.Path = path
		x.Req.Fields.Add("Referer", "https://h"+path+"?token=hush")
		if got := lineOf(t, FormatOptions{Fields: []string{"path"}}, x); got != `{"path":"`+want+"\"}\n" {
			t.Errorf("%s: got %s", path, got)
		}
		for _, style := range []string{"combined", "json"} {
			if got := lineOf(t, FormatOptions{Style: style, RequestHeaders: []string{"Referer"}}, x); strings.Contains(got, "hush") {
				t.Errorf("%s: got %s", path, got)
			}
		}
	}
}
