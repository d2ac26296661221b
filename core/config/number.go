package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// integer reads a number from low to high.
func integer[T int | int64](v value, dst *T, low, high int64) {
	n, ok := v.raw.(int64)
	switch {
	case !ok:
		v.wrongType("an integer")
	case n < low || n > high:
		v.fail("is %d, must be from %d to %d", n, low, high)
	default:
		*dst = T(n)
	}
}

// duration reads a duration from low to high.
func (v value) duration(dst *time.Duration, low, high time.Duration) {
	s, ok := v.raw.(string)
	if !ok {
		v.wrongType(`a string such as "250ms" or "30s"` + v.perhaps("s"))
		return
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		v.fail(`%q is no duration: write a number and one of ns, us, ms, s, m, h, such as "250ms" or "1h30m"`, s)
	case d < low || d > high:
		v.fail("is %s, must be from %s to %s", s, span(low), span(high))
	default:
		*dst = d
	}
}

// span writes a duration as a config has it, without the zeros that time.Duration puts behind.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// perhaps adds to a message what an integer without unit may have been meant for.
func (v value) perhaps(unit string) string {
	n, ok := v.raw.(int64)
	if !ok || n < 0 {
		return ""
	}
	return ` (perhaps "` + strconv.FormatInt(n, 10) + unit + `")`
}

// units of sizes, longest names first, so that the first whose name ends a size is the one.
func sizeUnits() []unit {
	return []unit{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
		{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
	}
}

type unit struct {
	name  string
	bytes int64
}

// size reads a number of bytes from low to high.
func size[T int | int64](v value, dst *T, low, high int64) {
	s, ok := v.raw.(string)
	if !ok {
		v.wrongType(`a string such as "64KiB" or "10MiB"` + v.perhaps("B"))
		return
	}
	n, ok := parseSize(s)
	switch {
	case !ok:
		v.fail(`%q is no size: write a whole number and one of B, KiB, MiB, GiB, kB, MB, GB, such as "10MiB"`, s)
	case n < low || n > high:
		v.fail("is %s, must be from %s to %s", s, sizeText(low), sizeText(high))
	default:
		*dst = T(n)
	}
}

func parseSize(s string) (int64, bool) {
	for _, u := range sizeUnits() {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || int64(n) > math.MaxInt64/u.bytes {
			return 0, false
		}
		return int64(n) * u.bytes, true
	}
	return 0, false
}

// sizeText writes a number of bytes in the largest binary unit that it is a multiple of.
func sizeText(n int64) string {
	best := unit{"B", 1}
	for _, u := range sizeUnits() {
		if strings.HasSuffix(u.name, "iB") && n >= u.bytes && n%u.bytes == 0 {
			best = u
		}
	}
	return strconv.FormatInt(n/best.bytes, 10) + best.name
}

// rate reads `COUNT/UNIT`: so many in a second, minute, hour, day or month.
func (v value) rate(count *int64, per *time.Duration) {
	const wanted = `a count and a unit, such as "100/s", "60/m", "1000/h" or "5000/d"`
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	digits, name, _ := strings.Cut(s, "/")
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "mo": Month}[name]
	n, err := strconv.ParseUint(digits, 10, 32)
	switch {
	case err != nil || unit == 0:
		v.fail("%q is no rate: write %s", s, wanted)
	case n < 1 || n > maxCount:
		v.fail("is %s, the count must be from 1 to %d", s, maxCount)
	default:
		*count, *per = int64(n), unit
	}
}

// maxCount bounds what is counted in rates and bursts.
const maxCount = 1_000_000_000
