package fault

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestCodeOf(t *testing.T) {
	tests := []struct {
		fault *Fault
		want  string
	}{
		{nil, ""},
		{New(NotFound, Client, ""), "NR"},
		{New(MethodNotAllowed, Client, ""), "NR"},
		{New(Unavailable, Upstream, ""), "UH"},
		{New(Unavailable, Gateway, ""), "OM"},
		{New(Unavailable, Plugin, ""), "PF"},
		{New(BadGateway, Upstream, ""), "UC"},
		{New(GatewayTimeout, Upstream, ""), "UT"},
		{New(GatewayTimeout, Gateway, ""), "DT"},
		{New(ClientGone, Client, ""), "DC"},
		{New(RequestTimeout, Client, ""), "CT"},
		{New(BadRequest, Client, ""), "DPE"},
		{New(UnsupportedMedia, Client, ""), "DPE"},
		{New(BodyTooLarge, Client, ""), "TL"},
		{New(URITooLong, Client, ""), "TL"},
		{New(Misdirected, Client, ""), "MD"},
		{New(Internal, Gateway, ""), "IE"},
		{New(Internal, Plugin, ""), "PF"},
		{&Fault{Kind: BadGateway, Side: Upstream, Code: ConnectFailed}, "UF"},
	}
	for _, test := range tests {
		if got := CodeOf(test.fault).String(); got != test.want {
			t.Errorf("%v: got %q, want %q", test.fault, got, test.want)
		}
	}
	for kind := range Kind(len(kindTexts)) {
		for _, side := range []Side{Gateway, Client, Upstream, Plugin} {
			if CodeOf(New(kind, side, "")) == NoCode {
				t.Errorf("%v of the %v has no code", kind, side)
			}
		}
	}
}

// docs/OPERATIONS.md has a row for each code, and for no other.
func TestEveryCodeIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "### Reason codes")
	section, _, _ = strings.Cut(section, "\n## ")
	var got, want []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z]+)` \\|").FindAllStringSubmatch(section, -1) {
		got = append(got, row[1])
	}
	for _, code := range Codes() {
		want = append(want, code.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("in the docs: %v\nin the code: %v", got, want)
	}
}
