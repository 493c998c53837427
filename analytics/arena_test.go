package analytics

import (
	"math/rand/v2"
	"testing"
)

// An index has the rows that were put into it and not taken out, however many
// share a hash or lie at the end of the table, and whatever room it began with.
func TestLaw_IndexIsAMap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		hashes := make([]uint64, 1+r.IntN(60))
		for i := range hashes {
			hashes[i] = r.Uint64()
			if r.IntN(2) == 0 {
				hashes[i] |= 0xfff0_0000 << 32
			}
		}
		var x index
		if r.IntN(2) == 0 {
			x.reserve(r.IntN(300))
		}
		rows := map[uint32]uint64{}
		for row := uint32(1); row < 600; row++ {
			h := hashes[r.IntN(len(hashes))]
			x.insert(h, row)
			rows[row] = h
			for range r.IntN(3) {
				gone := 1 + uint32(r.IntN(int(row)))
				if h, ok := rows[gone]; ok {
					x.remove(h, gone)
					delete(rows, gone)
				}
			}
		}
		for row := uint32(1); row < 600; row++ {
			h, want := rows[row]
			if !want {
				h = hashes[r.IntN(len(hashes))]
			}
			if _, got := x.find(h, func(found uint32) bool { return found == row }); got != want {
				t.Fatalf("seed %d: row %d found %v, want %v", seed, row, got, want)
			}
		}
		if x.used != len(rows) {
			t.Fatalf("seed %d: %d rows, want %d", seed, x.used, len(rows))
		}
	}
}
