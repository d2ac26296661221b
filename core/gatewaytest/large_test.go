package gatewaytest

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// BenchmarkLarge tells the gateway's own CPU time per GiB; backend and client are processes of their own.
func BenchmarkLarge(b *testing.B) {
	address := free.Address(b)
	backendProcess(b, address)
	g := Start(b, routes(address, allToB))
	for _, way := range []string{"down", "up", "tunnel"} {
		for _, size := range []int{128 << 10, 1 << 20, 64 << 20, 1 << 30} {
			b.Run(fmt.Sprintf("%s %dKiB", way, size>>10), func(b *testing.B) {
				before := ownCPU(b)
				if err := helper(b, fmt.Sprintf("transfer %s %s %dx%d", way, g.Addr, size, b.N)).Wait(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric((ownCPU(b)-before).Seconds()*1000/(float64(size)*float64(b.N)/(1<<30)), "cpu-ms/GiB")
			})
		}
	}
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
