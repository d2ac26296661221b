package http1

import (
	"strings"

	"github.com/sallyport/sallyport/core/header"
)

// DescribesContent reports whether a field tells of the content that comes with it (RFC 9110, section 8).
func DescribesContent(name string) bool {
	for _, other := range [...]string{"Accept-Ranges", "ETag", "Last-Modified", "Digest", "Repr-Digest"} {
		if header.EqualName(name, other) {
			return true
		}
	}
	const prefix, policy = "content-", "content-security-policy"
	lower := strings.ToLower(name)
	return strings.HasPrefix(lower, prefix) && !strings.HasPrefix(lower, policy)
}
