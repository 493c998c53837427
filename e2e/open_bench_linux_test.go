package e2e

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
)

// BenchmarkColdOpen is the first report of a server that has just started on a
// data folder: it reads the account and computes its ledgers.
func BenchmarkColdOpen(b *testing.B) {
	folder := newFolder(b)
	api := startAPI(b, folder)
	fill(b, companySize(b), api)
	want, _ := api.get(b, "/reports/mrr")
	api.stop()
	for _, cores := range slices.Compact([]int{2, runtime.NumCPU()}) {
		b.Run(fmt.Sprintf("%d cores", cores), func(b *testing.B) {
			took := 0.0
			for b.Loop() {
				b.StopTimer()
				api := startAPI(b, folder, fmt.Sprintf("GOMAXPROCS=%d", cores))
				b.StartTimer()
				got, d := api.get(b, "/reports/mrr")
				b.StopTimer()
				if took += d.Seconds(); string(got) != string(want) {
					b.Fatalf("the report differs from the one before:\n%.500s\n%.500s", got, want)
				}
				api.stop()
				b.StartTimer()
			}
			b.ReportMetric(took/float64(b.N), "s/open")
			b.ReportMetric(0, "ns/op")
		})
	}
}
