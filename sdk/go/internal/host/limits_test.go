package host

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The codes are those of sdk/ABI.md, section 11, which core/plugin's tests want of the gateway itself.
func TestLimitCodes(t *testing.T) {
	long, buf := strings.Repeat("n", maxName+1), make([]byte, 8)
	x := &Exchange{Query: "a=%zz&semi;colon=1&b=+%41"}
	for i := range maxAttrs {
		if x.Attrs == nil {
			x.Attrs = map[string]string{}
		}
		x.Attrs[strconv.Itoa(i)] = ""
	}
	for range 256 {
		x.Request.Add("X", "y")
	}
	var got []int32
	Run(InRequest, false, false, x, func() { got = limitCalls(long, buf) })

	want := []int32{-5, -5, -5, -5, -5, -5, -5, -5, 0, -5, 0, 0, -5, -5, -5, -2, -2, -2, -2, -2, 0, 3, 1, 2, -1}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if x.Host != "example.com:80" {
		t.Errorf("the host is %q", x.Host)
	}
}

// limitCalls goes up to limits and past them.
func limitCalls(long string, buf []byte) []int32 {
	return []int32{
		Param(long, buf), Query(long, buf), AttrGet(long, buf), AttrSet(long, ""), HeaderGet(0, long, buf), HeaderAll(0, long, buf), HeaderSet(0, long, ""),
		AttrSet("one-more", ""), AttrSet("0", "again"), HeaderAdd(0, "X", "y"), HeaderAdd(1, "X", strings.Repeat("v", 16<<10)), HeaderSet(0, "x", "z"),
		Set(3, strings.Repeat("h", 262)), Set(4, "/"+strings.Repeat("p", 8<<10)), Set(5, strings.Repeat("q", 16<<10+1)),
		Set(3, ""), Set(3, "two words"), Set(4, "path"), Set(5, "a b"), Set(5, "a#b"), Set(3, "Example.COM:80"),
		Query("a", buf), Query("semi;colon", buf), Query("b", buf), Query("c", buf),
	}
}
