package gatewaytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// ip-rules takes a hundred thousand networks out of files, with what its README says that it needs.
func TestHundredThousandNetworks(t *testing.T) {
	const dir = "../../plugins/ip-rules"
	for name, build := range map[string]func(testing.TB, string) []byte{"TinyGo": toolchain.TinyGo, "Go": toolchain.StockGo} {
		t.Run(name, func(t *testing.T) {
			g := newPlugin(t, "ip-rules", build(t, dir))
			for file := range 2 {
				var list strings.Builder
				for i := range 50_000 {
					i = (i*7919 + 1) % 50_000 // in no order
					fmt.Fprintf(&list, "%d.%d.%d.0/25\n", 20+file*10+i>>16, i>>8&255, i&255)
				}
				if file == 1 {
					list.WriteString("127.0.0.0/8 # this machine\n")
				}
				if err := os.WriteFile(filepath.Join(g.Dir, fmt.Sprintf("list%d.txt", file)), []byte(list.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := g.ApplyText("[plugins.ip-rules]\nmemory = \"64MiB\"\nfuel_start = 6_000_000_000\n[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 200 }\n" +
				"filters = [{ use = \"ip-rules\", config = { deny_lists = [{ file = \"list0.txt\" }, { file = \"list1.txt\" }] } }]\n"); err != nil {
				t.Fatal(err)
			}
			g.URL = "http://" + g.Addresses()[listen]
			if status, _, _ := g.Get("/"); status != 403 {
				t.Errorf("got %d, want 403\n%s", status, g.Logs())
			}
		})
	}
}
