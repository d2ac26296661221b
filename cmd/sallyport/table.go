package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// printTable writes rows as columns that are as wide as they must be; the first row is their names.
func printTable(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = t.Flush() // a terminal that has gone has nobody to be told
}

// printPairs writes names and values, one a line.
func printPairs(w io.Writer, pairs [][2]string) {
	rows := make([][]string, 0, len(pairs))
	for _, p := range pairs {
		if p[1] != "" {
			rows = append(rows, []string{p[0], p[1]})
		}
	}
	printTable(w, rows)
}

// orAny and orNothing stand in for what is empty.
func orAny(list []string) string {
	if len(list) == 0 {
		return "any"
	}
	return strings.Join(list, ",")
}

func orNothing(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
