package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// However a config is printed, logged or encoded, its secrets are not in it.
func TestSecretsAreNotShown(t *testing.T) {
	c := mustParse(t, server+"[secrets]\ninline = \"hush-hush\"\nkept = { env = \"UPSTREAM_TOKEN\" }\n")
	if got := c.Secrets["inline"].Reveal() + c.Secrets["kept"].Reveal(); got != "hush-hushBearer hush-hush" {
		t.Fatalf("the secrets are %q", got)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	shown := string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
		shown += fmt.Sprintf(verb, c.Secrets) + fmt.Sprintf(verb, *c) + fmt.Sprintf(verb, c.Secrets["inline"])
	}
	var out bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("config", "secret", c.Secrets["kept"], "all", c.Secrets, "config", c)
	}
	shown += out.String()
	for _, leak := range []string{"hush", fmt.Sprintf("%x", "hush"), fmt.Sprintf("%X", "hush")} {
		if strings.Contains(shown, leak) {
			t.Errorf("%q is shown in %s", leak, shown)
		}
	}
	if !strings.Contains(shown, "(secret)") {
		t.Errorf("not even its place is shown in %s", shown)
	}
	for _, key := range []string{"secrets.inline", "secrets.kept"} {
		if !c.Secret(key) {
			t.Errorf("%s does not count as a secret", key)
		}
	}
}
