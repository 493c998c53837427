package apiclient

import (
	"bytes"
	"sync"
)

// bufferPool lends buffers for bodies whose length is not known beforehand.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() *bytes.Buffer {
	if buffer, ok := p.pool.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

// put takes a buffer back, unless one huge body has made it too large to keep.
func (p *bufferPool) put(buffer *bytes.Buffer) {
	const keepBytes = 1 << 20
	if buffer.Cap() > keepBytes {
		return
	}
	buffer.Reset()
	p.pool.Put(buffer)
}
