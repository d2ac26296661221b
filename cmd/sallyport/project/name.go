package project

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// checkName refuses what cannot be the name of a filter, a Go module and a Rust crate at once.
func checkName(name string) error {
	taken := append(config.NativeFilters(), "plugin", "sallyport", "sdk", "test", "core", "std", "alloc", "main", "target")
	switch {
	case slices.Contains(config.NativeFilters(), name):
		return fmt.Errorf("%q is the name of a native filter: a plugin cannot have it", name)
	case slices.Contains(taken, name):
		return fmt.Errorf("%q would get into the way of a toolchain: take another name", name)
	case len(name) > 64 || name == "" || name[0] < 'a' || name[0] > 'z' || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasSuffix(name, "-") || strings.Contains(name, "--"):
		return fmt.Errorf("%q is no name for a plugin: a lower-case letter, then letters, digits and single hyphens, 64 at most, such as my-plugin", name)
	}
	return nil
}

// title writes each part of a name with a capital.
func title(name, between string) string {
	parts := strings.Split(name, "-")
	for i, part := range parts {
		parts[i] = strings.ToUpper(part[:1]) + part[1:]
	}
	return strings.Join(parts, between)
}

func keysOf(files map[string][]byte) iter.Seq[string] { return maps.Keys(files) }
