package httpapi

import "testing"

func TestReplyPool_KeepsNoHugeBuffer(t *testing.T) {
	t.Parallel()
	var p replyPool
	huge := make([]byte, keptReplyBytes+1)
	for range 20 { // the pool may drop a buffer now and then
		p.with(func([]byte) []byte { return huge })
		if got := cap(*p.lend()); got > keptReplyBytes {
			t.Fatalf("lends a buffer of %d bytes again, want at most %d", got, keptReplyBytes)
		}
	}
}
