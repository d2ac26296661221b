package meter

import (
	"context"
	"fmt"
	"os"
	"sort"
	"testing"
	"time"
)

func TestScratchBench(t *testing.T) {
	for _, f := range []string{"rust", "tiny", "go", "godbg"} {
		b, err := os.ReadFile("/tmp/mt/" + f + ".wasm")
		if err != nil {
			t.Log(err)
			continue
		}
		h := newHost(t)
		h.cfg = h.cfg.WithStartFunctions("_initialize")
		t0 := time.Now()
		m, err := Rewrite(b, Limits{})
		if err != nil {
			t.Error(err)
			continue
		}
		d := time.Since(t0)
		fmt.Printf("%s: %d -> %d bytes, %v %.0f MB/s; imports %d\n", f, len(b), len(m.Wasm), d, float64(len(b))/1e6/d.Seconds(), len(m.Imports))
		mm, _ := load(b, Limits{})
		rec, worst, maxb, maxf := 0, uint32(0), 0, 0
		var fr []int
		for i := range mm.bodies {
			bd := &mm.bodies[i]
			if bd.recursive {
				rec++
				fr = append(fr, int(bd.frame))
			}
			worst = max(worst, bd.frame)
			maxb = max(maxb, bd.code.to-bd.code.from)
			if bd.frame == worst {
				maxf = i + len(mm.imports)
			}
		}
		sort.Ints(fr)
		if len(fr) > 0 {
			fmt.Printf("  funcs %d recursive %d frames p50 %d p90 %d p99 %d max %d (fn %d) biggest body %d\n", len(mm.bodies), rec, fr[len(fr)/2], fr[len(fr)*9/10], fr[len(fr)*99/100], worst, maxf, maxb)
		}
		if f == "godbg" {
			continue
		}
		p, err := h.start(b)
		if err != nil {
			t.Error(err)
			continue
		}
		q, err := h.start(m.Wasm)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, c := range []struct {
			n string
			a uint64
		}{{"fib", 30}, {"sum", 3000}, {"sorted", 30000}, {"matmul", 80}, {"words", 3000}} {
			best := func(i *instance) (time.Duration, uint64, int64, int32) {
				var bd time.Duration = 1 << 60
				var r []uint64
				var sp int64
				var err error
				for k := 0; k < 7; k++ {
					t0 := time.Now()
					r, sp, err = i.call(c.n, c.a)
					if d := time.Since(t0); d < bd {
						bd = d
					}
					if err != nil {
						t.Error(f, c.n, err)
						return 0, 0, 0, 0
					}
				}
				dp := int32(0)
				if i.depth != nil {
					dp = int32(i.depth.Get())
				}
				return bd, r[0], sp, dp
			}
			d1, r1, _, _ := best(p)
			d2, r2, sp, dp := best(q)
			fmt.Printf("  %-8s plain %-12v metered %-12v x%.2f same %v fuel %d (%.3f ns/unit) depth %d\n", c.n, d1, d2, float64(d2)/float64(d1), r1 == r2, sp, float64(d2)/float64(sp), dp)
		}
	}
	_ = context.Background
}
