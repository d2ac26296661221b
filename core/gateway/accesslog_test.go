package gateway

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/telemetry"
)

// The config knows the fields that the access log has, and docs/OPERATIONS.md tells of them in the order of the lines.
func TestLogFieldsAreTheSameEverywhere(t *testing.T) {
	names := telemetry.FieldNames()
	if got := config.LogFields(); !slices.Equal(got, names) {
		t.Errorf("config: %v\ntelemetry: %v", got, names)
	}
	text, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| field | what |")
	table, _, _ = strings.Cut(table, "###")
	var told []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			told = append(told, name[1])
		}
	}
	if !slices.Equal(told, names) {
		t.Errorf("docs: %v\ntelemetry: %v", told, names)
	}
}

// What docs/CONFIG.md says is hidden is what is hidden.
func TestHiddenParametersAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range telemetry.DefaultRedactQuery() {
		list = append(list, "`"+name+"`")
	}
	if want := strings.Join(list, ", "); !strings.Contains(string(text), "usual one: "+want+".") {
		t.Errorf("docs/CONFIG.md does not list %s", want)
	}
}
