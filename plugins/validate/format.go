package main

import (
	"strings"
)

// formatNames are the formats that are known.
var formatNames = []string{"uuid", "date", "date-time", "email", "hostname", "ipv4", "ipv6", "uri", "int32", "int64"}

func isFormat(name, s string) bool {
	switch name {
	case "uuid":
		return isUUID(s)
	case "date":
		return isDate(s)
	case "date-time":
		return isDateTime(s)
	case "email":
		return isEmail(s)
	case "hostname":
		return isHostname(s)
	case "ipv4":
		return isIPv4(s)
	case "ipv6":
		return isIPv6(s)
	case "uri":
		return isURI(s)
	}
	return false
}

// isUUID wants the form of RFC 9562, section 4.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// two reads two digits of s at i; -1 if there are none.
func two(s string, i int) int {
	if i+2 > len(s) || countDigits(s[i:i+2]) != 2 {
		return -1
	}
	return int(s[i]-'0')*10 + int(s[i+1]-'0')
}

// isDate wants a full-date of RFC 3339, of a day that there is.
func isDate(s string) bool {
	if len(s) != 10 || countDigits(s) != 4 || s[4] != '-' || s[7] != '-' {
		return false
	}
	year, month, day := two(s, 0)*100+two(s, 2), two(s, 5), two(s, 8)
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days = 29
	}
	return day <= days
}

// isDateTime wants a date-time of RFC 3339. A leap second is taken at the end of any hour, as time zones may have it.
func isDateTime(s string) bool {
	if len(s) < 20 || !isDate(s[:10]) || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return false
	}
	hour, minute, second := two(s, 11), two(s, 14), two(s, 17)
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || second == 60 && minute != 59 {
		return false
	}
	zone := s[19:]
	if zone[0] == '.' {
		n := countDigits(zone[1:])
		if n == 0 {
			return false
		}
		zone = zone[n+1:]
	}
	if zone == "Z" || zone == "z" {
		return true
	}
	return len(zone) == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':' &&
		two(zone, 1) >= 0 && two(zone, 1) < 24 && two(zone, 4) >= 0 && two(zone, 4) < 60
}

// isEmail wants an addr-spec of RFC 5321 without quotes and comments, which hardly anybody has and many servers mistake.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 || !isHostname(s[at+1:]) {
		return false
	}
	local := s[:at]
	for i := range len(local) {
		c := local[i]
		if c == '.' {
			if i == 0 || i == len(local)-1 || local[i-1] == '.' {
				return false
			}
		} else if !isAlnum(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

// isHostname wants a name of RFC 1123.
func isHostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

// isIPv4 wants four numbers without leading zeros.
func isIPv4(s string) bool {
	groups := 0
	for group := range strings.SplitSeq(s, ".") {
		n := countDigits(group)
		if groups++; n == 0 || n > 3 || n != len(group) || n > 1 && group[0] == '0' || n == 3 && group > "255" {
			return false
		}
	}
	return groups == 4
}

// isIPv6 wants an address of RFC 4291 without a zone.
func isIPv6(s string) bool {
	groups, gap := 0, false
	if strings.HasPrefix(s, "::") {
		gap, s = true, s[2:]
		if s == "" {
			return true
		}
	}
	for {
		n := 0
		for n < len(s) && isHex(s[n]) {
			n++
		}
		if n < len(s) && s[n] == '.' {
			groups += 2
			return isIPv4(s) && (groups == 8 || gap && groups < 8)
		}
		if groups++; n == 0 || n > 4 || groups > 8 {
			return false
		}
		if s = s[n:]; s == "" {
			return groups == 8 || gap && groups < 8
		}
		if s[0] != ':' || len(s) == 1 {
			return false
		}
		if s = s[1:]; s[0] == ':' {
			if gap {
				return false
			}
			if gap, s = true, s[1:]; s == "" {
				return groups < 8
			}
		}
	}
}

// isURI wants a scheme, and nothing but what RFC 3986 lets stand in a URI.
func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 1 || !isAlnum(s[0]) || '0' <= s[0] && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i < colon && !isAlnum(c) && c != '+' && c != '-' && c != '.':
			return false
		case c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])):
			return false
		case c != '%' && !isAlnum(c) && strings.IndexByte("-._~:/?#[]@!$&'()*+,;=", c) < 0:
			return false
		}
	}
	return strings.Count(s, "#") <= 1
}
