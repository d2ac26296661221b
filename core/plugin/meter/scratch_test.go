package meter

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

func TestScratchCorpus(t *testing.T) {
	out, _ := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	dir := strings.TrimSpace(string(out))
	h := newHost(t)
	var refused = map[string]int{}
	n, both, neither, loose := 0, 0, 0, 0
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if !strings.HasSuffix(p, ".wasm") {
			return nil
		}
		b, _ := os.ReadFile(p)
		if len(b) > 1<<20 {
			return nil
		}
		n++
		m, err := Rewrite(b, Limits{MemoryPages: 1 << 16, TableEntries: 1 << 27})
		perr := h.compiles(b)
		switch {
		case err != nil && perr == nil:
			msg := err.(*Error).Msg
			if refused[msg] == 0 {
				fmt.Println("REFUSED", strings.TrimPrefix(p, dir), err)
			}
			refused[msg]++
		case err == nil && perr == nil:
			both++
			if e := h.compiles(m.Wasm); e != nil {
				t.Error("BROKEN", p, e)
			}
		case err == nil && perr != nil:
			loose++
			if e := h.compiles(m.Wasm); e == nil && !strings.Contains(perr.Error(), "name") {
				fmt.Println("FORGIVEN", strings.TrimPrefix(p, dir), perr)
			}
		default:
			neither++
		}
		return nil
	})
	var ks []string
	for k := range refused {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	for _, k := range ks {
		fmt.Println(refused[k], k)
	}
	fmt.Println(n, "both", both, "neither", neither, "onlyOurs accepts", loose)
}
