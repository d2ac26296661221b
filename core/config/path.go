package config

import (
	"strconv"
	"strings"
)

// join returns the key path of name in the table at path.
func join(path, name string) string {
	if !isBareKey(name) {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// element returns the key path of the i-th element of the array at path.
func element(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// parent returns the key path one step up, "" at the top.
func parent(path string) string {
	if strings.HasSuffix(path, `"`) {
		return strings.TrimSuffix(path[:quoteStart(path)], ".")
	}
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// quoteStart returns where the quoted name at the end of path begins. A quote inside of it has a backslash before it.
func quoteStart(path string) int {
	for i := len(path) - 2; i > 0; i-- {
		if path[i] == '"' && path[i-1] != '\\' {
			return i
		}
	}
	return 0
}

func isBareKey(name string) bool {
	for i := range len(name) {
		if !isBareByte(name[i]) {
			return false
		}
	}
	return name != ""
}

func isBareByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// places says where each key and array element of a file stands, and what it is: in one map, since there are hundreds of thousands of them
// in a large file.
type places map[string]known

// known is what the scanner knows of a key path.
type known struct {
	Place
	kind kind
}

func (p places) at(key string) Place {
	for ; key != ""; key = parent(key) {
		if it, ok := p[key]; ok {
			return it.Place
		}
	}
	return Place{1, 1}
}
