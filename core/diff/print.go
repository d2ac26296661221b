package diff

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// Print writes changes for people: a line for each, what differs of it below, what needs a second look marked by "!".
func Print(w io.Writer, changes []Change) error {
	var b strings.Builder
	for _, c := range changes {
		c.print(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Change) print(b *strings.Builder) {
	sign := map[Kind]string{Added: "+", Removed: "-", Changed: "~"}[c.Kind]
	fmt.Fprintf(b, "%s %s\n", sign, strings.TrimSpace(c.Part+" "+c.Name))
	for _, text := range c.Attention {
		fmt.Fprintf(b, "    ! %s\n", text)
	}
	if c.Chain != nil && c.Kind == Changed {
		fmt.Fprintf(b, "    chain: %s\n       now: %s\n", arrows(c.Chain.Before), arrows(c.Chain.After))
	} else if c.Chain != nil && c.Kind == Added {
		fmt.Fprintf(b, "    chain: %s\n", arrows(c.Chain.After))
	}
	if c.Kind == Removed {
		return
	}
	for _, s := range c.Settings {
		s.print(b, c.Kind == Added)
	}
}

func arrows(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	return strings.Join(names, " → ")
}

func (s *Setting) print(b *strings.Builder, whole bool) {
	key := s.Key
	if key != "" {
		key += ": "
	}
	switch {
	case whole && s.Default && s.Key != "": // it says nothing new
	case s.From != nil && s.To != nil && shown(s.From) == shown(s.To):
		fmt.Fprintf(b, "    %sanother secret\n", key)
	case s.From == nil && whole:
		fmt.Fprintf(b, "    %s%s\n", key, shown(s.To))
	case s.From == nil:
		fmt.Fprintf(b, "    %snow %s\n", key, shown(s.To))
	case s.To == nil:
		fmt.Fprintf(b, "    %sno longer %s\n", key, shown(s.From))
	default:
		fmt.Fprintf(b, "    %s%s → %s\n", key, shown(s.From), shown(s.To))
	}
}

func shown(s *config.Setting) string {
	text, err := json.Marshal(s)
	if err != nil {
		return "?"
	}
	return string(text)
}
