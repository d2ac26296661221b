package abi

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docTable returns the rows of the table in sdk/ABI.md whose first heading is that word, cells joined by " | ".
func docTable(t *testing.T, heading string) []string {
	t.Helper()
	page, err := os.ReadFile("../../../sdk/ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	inside := false
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "| "+heading+" |"):
			inside = true
		case !strings.HasPrefix(line, "|"):
			inside = false
		case inside && !strings.HasPrefix(line, "|---"):
			rows = append(rows, strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"))
		}
	}
	if rows == nil {
		t.Fatalf("no table headed %q in sdk/ABI.md", heading)
	}
	return rows
}

// cells cuts every row down to its first n cells.
func cells(rows []string, n int) []string {
	for i, row := range rows {
		all := strings.Split(row, " | ")
		rows[i] = strings.Join(all[:min(n, len(all))], " | ")
	}
	return rows
}

func quoted(name string) string {
	if name == "" {
		return "–"
	}
	return "`" + name + "`"
}

func minus(code Code) string { return strings.Replace(strconv.Itoa(int(code)), "-", "−", 1) }

func TestDocumentAgrees(t *testing.T) {
	tests := []struct {
		heading string
		columns int
		rows    func() []string
	}{
		{"export", 3, exportRows},
		{"bit", 3, hookRows},
		{"phase", 1, phaseRows},
		{"code", 2, codeRows},
		{"handle", 2, messageRows},
		{"number", 3, fieldRows},
		{"function", 4, functionRows},
		{"limit", 2, limitRows},
	}
	for _, tt := range tests {
		t.Run(tt.heading, func(t *testing.T) {
			got, want := cells(docTable(t, tt.heading), tt.columns), tt.rows()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sdk/ABI.md differs (-abi +page):\n%s", diff)
			}
		})
	}
}

func exportRows() (rows []string) {
	for _, e := range Exports() {
		required := "no"
		if e.Required {
			required = "yes"
		}
		rows = append(rows, fmt.Sprintf("`%s` | `%s` | %s", e.Name, e.Signature, required))
	}
	return rows
}

func hookRows() (rows []string) {
	for _, h := range AllHooks() {
		rows = append(rows, fmt.Sprintf("%d | %s | %s", h.Hook, h.Name, quoted(h.Export)))
	}
	return rows
}

func phaseRows() (rows []string) {
	for _, p := range AllPhases() {
		rows = append(rows, p.Name)
	}
	return rows
}

func codeRows() (rows []string) {
	for _, c := range Codes() {
		rows = append(rows, minus(c.Code)+" | "+c.Text)
	}
	return rows
}

func messageRows() (rows []string) {
	for _, m := range Messages() {
		rows = append(rows, fmt.Sprintf("%d | %s", m.Message, m.Name))
	}
	return rows
}

func fieldRows() (rows []string) {
	for _, f := range Fields() {
		set := "–"
		if f.Set != 0 {
			set = f.Set.String()
		}
		rows = append(rows, fmt.Sprintf("%d | %s | %s", f.Field, f.Name, set))
	}
	return rows
}

func functionRows() (rows []string) {
	for _, f := range Functions() {
		rows = append(rows, fmt.Sprintf("`%s` | `%s` | %s | %s",
			f.Name, f.Signature, f.Phases, quoted(f.Grant)))
	}
	return rows
}

func limitRows() (rows []string) {
	for _, l := range Limits() {
		rows = append(rows, fmt.Sprintf("%s | %d", l.Name, l.Max))
	}
	return rows
}

func TestHooksString(t *testing.T) {
	tests := []struct {
		hooks Hooks
		want  string
	}{
		{0, ""},
		{HookRequest | HookEnd, "request, end"},
		{1 << 20, "unknown bits"},
		{HookResponse | 1<<8, "response, unknown bits"},
	}
	for _, tt := range tests {
		if got := tt.hooks.String(); got != tt.want {
			t.Errorf("Hooks(%d) = %q, want %q", uint32(tt.hooks), got, tt.want)
		}
	}
}

func TestCodeText(t *testing.T) {
	if got, want := WrongPhase.Error(), "not in this phase"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Code(-77).Error(), "code -77"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
