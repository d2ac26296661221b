package sha256

import "strings"

// Parse reads a digest as 64 hexadecimal digits, or in base64 of either alphabet, padded or not.
func Parse(text string) (d Digest, ok bool) {
	if len(text) == 2*len(d) {
		ok = parse(d[:], text, "0123456789abcdef0123456789ABCDEF", 4, 15)
		return d, ok
	}
	text = strings.TrimSuffix(text, "=")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "-", "+"), "_", "/")
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	ok = len(text) == (8*len(d)+5)/6 && parse(d[:], text, alphabet, 6, 63)
	return d, ok
}

// parse reads digits of so many bits, whose values are their places in the alphabet. Bits left over must be 0.
func parse(dst []byte, text, alphabet string, bits, mask int) bool {
	held, have := 0, 0
	for i := range len(text) {
		digit := strings.IndexByte(alphabet, text[i])
		if digit < 0 {
			return false
		}
		held, have = held<<bits|digit&mask, have+bits
		if have >= 8 {
			have -= 8
			dst[0], dst = byte(held>>have), dst[1:]
			held &= 1<<have - 1
		}
	}
	return held == 0 && len(dst) == 0
}

// Equal compares in a time that does not depend on the digests.
func (d *Digest) Equal(other *Digest) bool {
	different := byte(0)
	for i := range d {
		different |= d[i] ^ other[i]
	}
	return different == 0
}
