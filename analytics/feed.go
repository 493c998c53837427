package analytics

import "runtime"

// Sizes of a chunk of rows between the reading of an account and its decoding.
const (
	chunkRows  = 1024
	chunkBytes = 512 << 10
)

// chunk is some rows with documents of their own: those of the store are valid
// only while they are visited.
type chunk struct {
	rows    []Row
	ends    []int // where each row's document ends in docs
	docs    []byte
	decoded []decoded     // in parallel to rows, once ready is closed
	ready   chan struct{} // closed when the rows are decoded
}

// decoded is what can be told of a row by itself.
type decoded struct {
	invoice InvoiceRow // of a row of TableInvoice; refers to the row's document
	hash    uint64     // of the document
	err     error
}

func (c *chunk) add(r Row) {
	c.docs = append(c.docs, r.Doc...)
	c.ends = append(c.ends, len(c.docs))
	r.Doc, r.ID = nil, "" // the document has the id
	c.rows = append(c.rows, r)
}

func (c *chunk) reset() *chunk {
	clear(c.decoded)
	c.rows, c.ends, c.docs, c.decoded = c.rows[:0], c.ends[:0], c.docs[:0], c.decoded[:0]
	return c
}

func (c *chunk) full() bool { return len(c.rows) >= chunkRows || len(c.docs) >= chunkBytes }

// row returns a row with its document.
func (c *chunk) row(i int) Row {
	start := 0
	if i > 0 {
		start = c.ends[i-1]
	}
	r := c.rows[i]
	r.Doc = c.docs[start:c.ends[i]:c.ends[i]]
	return r
}

func (c *chunk) decode(decode func(Row) decoded) {
	for i := range c.rows {
		c.decoded = append(c.decoded, decode(c.row(i)))
	}
	close(c.ready)
}

// each calls visit for every row until it fails.
func (c *chunk) each(visit func(Row, *decoded) error) error {
	for i := range c.rows {
		if err := visit(c.row(i), &c.decoded[i]); err != nil {
			return err
		}
	}
	return nil
}

// feed hands rows to other goroutines, so that one core reads an account while
// others decode its rows and one takes them, in the order in which they were
// added. It ends with close, which must be called.
type feed struct {
	current *chunk
	work    chan *chunk   // to be decoded, by whoever is free
	chunks  chan *chunk   // the same, in order
	free    chan *chunk   // visited, to be filled again
	done    chan struct{} // closed when all has been visited
	err     error         // of visit, once done is closed
}

func newFeed(decode func(Row) decoded, visit func(Row, *decoded) error) *feed {
	workers := max(1, runtime.GOMAXPROCS(0)-1)
	ahead := 2 * workers
	f := &feed{
		current: &chunk{ready: make(chan struct{})}, work: make(chan *chunk, ahead), chunks: make(chan *chunk, ahead),
		free: make(chan *chunk, 2*ahead+workers+2), done: make(chan struct{}),
	}
	for range workers {
		go func() {
			for c := range f.work {
				c.decode(decode)
			}
		}()
	}
	go func() {
		defer close(f.done)
		for c := range f.chunks {
			<-c.ready
			if f.err = c.each(visit); f.err != nil {
				return
			}
			f.free <- c.reset() // there is room for all chunks that exist
		}
	}()
	return f
}

// add takes a row. It returns the error of an earlier one.
func (f *feed) add(r Row) error {
	f.current.add(r)
	if !f.current.full() {
		return nil
	}
	return f.send()
}

func (f *feed) send() error {
	select {
	case f.chunks <- f.current:
	case <-f.done:
		return f.err
	}
	f.work <- f.current // the workers take all that comes
	select {
	case f.current = <-f.free:
	default:
		f.current = &chunk{}
	}
	f.current.ready = make(chan struct{})
	return nil
}

// close waits until all rows are visited and returns the first error.
func (f *feed) close() error {
	err := f.send()
	close(f.chunks)
	close(f.work)
	<-f.done
	if err == nil {
		err = f.err
	}
	return err
}
