package deploy

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// alerts are the names and expressions of the rules.
func alerts(t *testing.T) (names []string, expressions string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, rule := range g.Rules {
			names, expressions = append(names, rule.Alert), expressions+rule.Expr+"\n"
		}
	}
	return names, expressions
}

func TestAlertsAreDocumented(t *testing.T) {
	names, _ := alerts(t)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(Sallyport[A-Za-z]+)` \\|").FindAllStringSubmatch(operations(t), -1) {
		documented = append(documented, row[1])
	}
	if diff := cmp.Diff(names, documented); diff != "" {
		t.Errorf("docs/OPERATIONS.md (-rules +documented):\n%s", diff)
	}
}

func TestPrometheusTakesTheAlerts(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("there is no promtool")
	}
	if out, err := exec.Command("promtool", "check", "rules", "prometheus/alerts.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The metrics that rules ask for are those that docs/OPERATIONS.md lists, whose own test holds them to the code.
func TestAlertsAskForWhatThereIs(t *testing.T) {
	_, expressions := alerts(t)
	var known []string
	for _, row := range regexp.MustCompile("(?m)^\\| `[a-z._]+` \\| `([a-z_]+)` \\|").FindAllStringSubmatch(operations(t), -1) {
		known = append(known, row[1])
	}
	if len(known) == 0 {
		t.Fatal("OPERATIONS.md lists no metrics")
	}
	for _, name := range regexp.MustCompile(`\b(?:sallyport|http_server|http_client)_[a-z_]+`).FindAllString(expressions, -1) {
		plain := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		isLabel := regexp.MustCompile(`^(sallyport_(upstream|plugin|listener|outcome|side|store)|http_response_status_code)$`).MatchString(name)
		if !isLabel && !slices.Contains(known, plain) {
			t.Errorf("there is no metric %s", name)
		}
	}
}

func operations(t *testing.T) string {
	t.Helper()
	return read(t, filepath.Join(root, "docs/OPERATIONS.md"))
}
