package httpapi

import (
	"sync"

	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// replyPool lends buffers for replies to pushes, which are as large as their
// requests, and for reports, which can be larger than what the cache keeps.
type replyPool struct{ pool sync.Pool }

// keptReplyBytes is what a buffer may hold to be lent again: room for the reply to
// the largest push. One that a huge report has filled is left to the garbage
// collector, or small answers would go on holding it.
const keptReplyBytes = 32 << 20

// with calls use with an empty buffer and keeps what it returns for the next.
func (p *replyPool) with(use func(reply []byte) []byte) {
	buffer := p.lend()
	*buffer = use((*buffer)[:0])
	p.giveBack(buffer)
}

// encode returns an answer as JSON with a newline at its end, in a buffer that is
// lent until release.
func (p *replyPool) encode(v wire.Answer) (body []byte, release func()) {
	buffer := p.lend()
	*buffer = append(v.AppendJSON((*buffer)[:0]), '\n')
	return *buffer, func() { p.giveBack(buffer) }
}

func (p *replyPool) lend() *[]byte {
	buffer, ok := p.pool.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	return buffer
}

func (p *replyPool) giveBack(buffer *[]byte) {
	if cap(*buffer) <= keptReplyBytes {
		p.pool.Put(buffer)
	}
}
