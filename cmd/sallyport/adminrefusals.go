package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/core/gateway"
)

// refusals shows how requests ended badly: the kinds whose rows have all the words.
func (c *adminCommand) refusals(words []string) error {
	var answer struct {
		Refusals []gateway.Refusal
		Missed   uint64
	}
	if printed, err := c.ask("/refusals", &answer); printed {
		return err
	}
	rows := [][]string{{"STATUS", "ROUTE", "ANSWERED BY", "CODE", "WHY", "COUNT", "LAST", "EXAMPLE", "REQUEST"}}
	for i := range answer.Refusals {
		if row := refusalRow(&answer.Refusals[i]); hasWords(row, words) {
			rows = append(rows, row)
		}
	}
	if len(rows) > 1 {
		printTable(c.out, rows)
	} else {
		fmt.Fprintln(c.out, "none")
	}
	if answer.Missed > 0 {
		fmt.Fprintf(c.out, "%d more were of kinds for which there was no room\n", answer.Missed)
	}
	return nil
}

func refusalRow(r *gateway.Refusal) []string {
	by, why := r.By, r.Example.Reason
	if r.Filter != "" {
		by += " " + r.Filter
	}
	if r.Limit != "" {
		why = strings.TrimPrefix(why+"; limit "+r.Limit, "; ")
	}
	status := "cut off"
	if r.Status != 0 {
		status = strconv.Itoa(r.Status)
	}
	e := &r.Example
	return []string{
		status, orNothing(r.Route), by, orNothing(r.Code), orNothing(why), strconv.FormatUint(r.Count, 10), clock(r.Last), e.Method + " " + e.Host + e.Path, orNothing(e.RequestID),
	}
}

// hasWords reports whether each word is somewhere in a row, whatever its case.
func hasWords(row, words []string) bool {
	text := strings.ToLower(strings.Join(row, "\n"))
	for _, word := range words {
		if !strings.Contains(text, strings.ToLower(word)) {
			return false
		}
	}
	return true
}
