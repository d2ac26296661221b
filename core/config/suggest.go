package config

import (
	"fmt"
	"slices"
)

// didYouMean returns `: did you mean "x"?` for the known name nearest to what was written, or "" if none is near.
func didYouMean(written string, known []string) string {
	best, bestDistance := "", 1+2*min(3, max(1, len(written)/3))
	for _, name := range slices.Sorted(slices.Values(known)) {
		if d := distance(written, name); d < bestDistance && d < 2*len(name) {
			best, bestDistance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance adds up what it takes to get from a to b: 2 for each letter to insert, delete or replace, 1 for two
// neighbours to swap, which is the likelier slip. Letters that differ in case only are the same.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 2 * (len(a) + len(b))
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = 2 * j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = 2 * i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if lower(a[i-1]) != lower(b[j-1]) {
				replaced += 2
			}
			row[j] = min(last[j]+2, row[j-1]+2, replaced)
			if i > 1 && j > 1 && lower(a[i-1]) == lower(b[j-2]) && lower(a[i-2]) == lower(b[j-1]) {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
