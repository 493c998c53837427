package httpapi

import (
	"sync"

	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// replyPool lends buffers for replies to pushes, which are as large as their
// requests, and for reports, which can be larger than what the cache keeps.
type replyPool struct{ pool sync.Pool }

// with calls use with an empty buffer and keeps what it returns for the next.
func (p *replyPool) with(use func(reply []byte) []byte) {
	buffer := p.lend()
	*buffer = use((*buffer)[:0])
	p.pool.Put(buffer)
}

// encode returns an answer as JSON with a newline at its end, in a buffer that is
// lent until release.
func (p *replyPool) encode(v wire.Answer) (body []byte, release func()) {
	buffer := p.lend()
	*buffer = append(v.AppendJSON((*buffer)[:0]), '\n')
	return *buffer, func() { p.pool.Put(buffer) }
}

func (p *replyPool) lend() *[]byte {
	buffer, ok := p.pool.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	return buffer
}
