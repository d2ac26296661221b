package main

import (
	"strconv"
	"strings"
)

// decimal is a number: its digits without zeros at both ends, behind a point, times a power of ten. No digits are 0.
type decimal struct {
	negative bool
	digits   string
	power    int
}

// maxPower is the largest exponent that is looked at; beyond it, numbers are no numbers here.
const maxPower = 9999

// parseDecimal reads a number as JSON has it.
func parseDecimal(s string) (d decimal, ok bool) {
	rest, negative := strings.CutPrefix(s, "-")
	n := countDigits(rest)
	if n == 0 || n > 1 && rest[0] == '0' {
		return d, false
	}
	whole, fraction := rest[:n], ""
	if rest = rest[n:]; rest != "" && rest[0] == '.' {
		n = countDigits(rest[1:])
		if n == 0 {
			return d, false
		}
		fraction, rest = rest[1:n+1], rest[n+1:]
	}
	power := 0
	if rest != "" {
		if power, ok = parsePower(rest); !ok {
			return d, false
		}
	}
	all := whole + fraction
	digits := strings.TrimLeft(all, "0")
	d = decimal{negative, strings.TrimRight(digits, "0"), power + len(whole) - (len(all) - len(digits))}
	if d.digits == "" {
		d = decimal{}
	}
	return d, true
}

// parsePower reads an exponent with its sign.
func parsePower(s string) (n int, ok bool) {
	if s[0]|0x20 != 'e' {
		return 0, false
	}
	s = s[1:]
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if s == "" || countDigits(s) != len(s) {
		return 0, false
	}
	for i := range len(s) {
		if n = n*10 + int(s[i]-'0'); n > maxPower {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

func countDigits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// isInteger reports whether a number is written without fraction and exponent.
func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && countDigits(s) == len(s)
}

// compare returns -1, 0 or 1.
func (d decimal) compare(other decimal) int {
	if d.sign() != other.sign() {
		return order(d.sign() < other.sign())
	}
	if d.digits != "" && d.power != other.power {
		return order((d.power < other.power) != d.negative)
	}
	if d.digits == other.digits {
		return 0
	}
	return order((d.digits < other.digits) != d.negative)
}

func order(less bool) int {
	if less {
		return -1
	}
	return 1
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// fits reports whether an integer is one of so many bits.
func (d decimal) fits(format string) bool {
	low, high := "-2147483648", "2147483647"
	if format == "int64" {
		low, high = "-9223372036854775808", "9223372036854775807"
	}
	least, _ := parseDecimal(low)
	most, _ := parseDecimal(high)
	return d.compare(least) >= 0 && d.compare(most) <= 0
}

func itoa(n int) string { return strconv.Itoa(n) }
