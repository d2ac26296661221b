package cases

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// Report writes results for people to read.
type Report struct {
	Out     io.Writer
	Colour  bool
	Verbose bool // notes also of cases that passed
}

// The colours of a terminal.
const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	faint = "\x1b[2m"
	plain = "\x1b[0m"
)

func (p *Report) colour(code, text string) string {
	if !p.Colour {
		return text
	}
	return code + text + plain
}

// Write writes a line for each case, what is different in those that failed, and a summary.
func (p *Report) Write(cs *config.Cases, results []Result) {
	width, failed := 0, 0
	for i := range results {
		width = max(width, len([]rune(results[i].Case.Name)))
	}
	for i := range results {
		if !results[i].Passed() {
			failed++
		}
		p.result(cs, &results[i], width)
	}
	switch {
	case failed == 0:
		fmt.Fprintf(p.Out, "%s: %s\n", cs.File, count(len(results), "case", "passed"))
	default:
		fmt.Fprintf(p.Out, "%s: %s, %d failed\n", cs.File, count(len(results)-failed, "case", "passed"), failed)
	}
}

func count(n int, what, done string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s %s", n, what, done)
}

func (p *Report) result(cs *config.Cases, r *Result, width int) {
	mark, place := p.colour(green, "ok  "), ""
	if !r.Passed() {
		mark, place = p.colour(red, "FAIL"), fmt.Sprintf("  (%s:%d)", cs.File, cs.At(r.Case.Key).Line)
	}
	fuel := ""
	if len(r.Fuel) > 0 {
		fuel = "  " + p.colour(faint, fuelText(r.Fuel))
	}
	fmt.Fprintf(p.Out, "%s %s\n", mark, strings.TrimRight(fmt.Sprintf("%-*s%s%s", width, r.Case.Name, fuel, place), " "))
	if r.Problem != "" {
		p.block("", r.Problem)
	}
	for _, d := range r.Differences {
		p.difference(d, cs.At(d.Key).Line)
	}
	if !r.Passed() || p.Verbose {
		p.background(r)
	}
}

// background writes what helps to understand a result.
func (p *Report) background(r *Result) {
	for _, line := range r.seen.log {
		p.block("log: ", line)
	}
	for i, note := range r.Notes {
		if !slices.Contains(r.Notes[:i], note) { // what was tried again fails in the same way, as a rule
			p.block("note: ", note)
		}
	}
}

func fuelText(list []Fuel) string {
	parts := make([]string, len(list))
	for i, f := range list {
		parts[i] = f.Of + " " + grouped(f.Units)
	}
	return "fuel: " + strings.Join(parts, ", ")
}

// grouped writes a number with a space between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func (p *Report) block(label, text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := range lines {
		lines[i] = harmless(lines[i])
	}
	fmt.Fprintf(p.Out, "     %s%s\n", label, lines[0])
	for _, line := range lines[1:] {
		fmt.Fprintf(p.Out, "     %*s%s\n", len(label), "", line)
	}
}

func (p *Report) difference(d Difference, line int) {
	fmt.Fprintf(p.Out, "     %s (line %d)\n", d.Path, line)
	want, got := lines(d.Want), lines(d.Got)
	if len(want) == 1 && len(got) == 1 {
		want[0], got[0] = excerpts(want[0], got[0])
		fmt.Fprintf(p.Out, "       %s\n       %s\n", p.colour(green, "want "+want[0]), p.colour(red, "got  "+got[0]))
		return
	}
	shown, more := diff(want, got), 0
	if more = len(shown) - maxLines; more > 0 {
		shown = shown[:maxLines]
		defer fmt.Fprintf(p.Out, "       … and %d more lines\n", more)
	}
	for _, line := range shown {
		code := map[byte]string{'-': green, '+': red, ' ': faint}[line[0]]
		fmt.Fprintf(p.Out, "       %s\n", p.colour(code, line))
	}
}

// lines writes a value in as many lines as it has.
func lines(value any) []string {
	switch v := value.(type) {
	case nil:
		return []string{"(not there)"}
	case bool:
		if v {
			return []string{"(any value)"}
		}
		return []string{"(not there)"}
	case []string:
		if len(v) == 0 {
			return []string{"(none)"}
		}
		quoted := make([]string, len(v))
		for i := range v {
			quoted[i] = strconv.Quote(v[i])
		}
		return quoted
	case string:
		if strings.Count(strings.TrimSuffix(v, "\n"), "\n") > 0 {
			return strings.SplitAfter(strings.TrimSuffix(v, "\n"), "\n")
		}
		return []string{strconv.Quote(v)}
	}
	return []string{fmt.Sprint(value)}
}

// diff lines up two texts by what they have in common at both ends: - is what was wanted, + what was got.
func diff(want, got []string) (out []string) {
	head := 0
	for head < min(len(want), len(got)) && want[head] == got[head] {
		head++
	}
	tail := 0
	for tail < min(len(want), len(got))-head && want[len(want)-1-tail] == got[len(got)-1-tail] {
		tail++
	}
	add := func(sign string, lines []string) {
		for _, line := range lines {
			out = append(out, sign+" "+harmless(strings.TrimSuffix(line, "\n")))
		}
	}
	add(" ", want[:head])
	add("-", want[head:len(want)-tail])
	add("+", got[head:len(got)-tail])
	add(" ", want[len(want)-tail:])
	return out
}
