package analytics

import (
	"runtime"
	"sync"
)

// chunkRows is how many rows go from the reading of an account to their decoding
// at once: few enough to stay in a core's cache on the way.
const chunkRows = 256

// chunk is some rows of one table.
type chunk struct {
	rows  []LoadedRow
	docs  []string      // theirs
	ready chan struct{} // closed when what follows is set

	// What customers and invoices say by themselves.
	hashes    []uint64 // of the documents
	customers []CustomerRow
	invoices  []InvoiceRow
	decoded   int   // how many of the rows
	err       error // what is wrong with the row behind them
}

func (c *chunk) add(r LoadedRow) {
	c.rows, c.docs = append(c.rows, r), append(c.docs, r.Doc)
}

// takes reports whether there is room for a row of the table.
func (c *chunk) takes(t Table) bool {
	return len(c.rows) == 0 || len(c.rows) < chunkRows && c.rows[0].Table == t
}

// decodes reports whether the rows are of a table that has many.
func (c *chunk) decodes() bool {
	return len(c.rows) > 0 && (c.rows[0].Table == TableCustomer || c.rows[0].Table == TableInvoice)
}

func (c *chunk) reset() *chunk {
	c.rows, c.docs, c.hashes, c.customers, c.invoices = c.rows[:0], c.docs[:0], c.hashes[:0], c.customers[:0], c.invoices[:0]
	c.decoded, c.err = 0, nil
	return c
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
	workers sync.WaitGroup
}

func newFeed(decode func(*chunk), visit func(*chunk) error) *feed {
	workers := max(1, runtime.GOMAXPROCS(0)-1)
	ahead := 2 * workers
	f := &feed{
		current: &chunk{ready: make(chan struct{})}, work: make(chan *chunk, ahead), chunks: make(chan *chunk, ahead),
		free: make(chan *chunk, 2*ahead+workers+2), done: make(chan struct{}),
	}
	for range workers {
		f.workers.Go(func() {
			for c := range f.work {
				decode(c)
				close(c.ready)
			}
		})
	}
	go func() {
		defer close(f.done)
		for c := range f.chunks {
			<-c.ready
			if f.err = visit(c); f.err != nil {
				return
			}
			f.free <- c.reset() // there is room for all chunks that exist
		}
	}()
	return f
}

// add takes a row. It returns the error of an earlier one.
func (f *feed) add(r LoadedRow) error {
	if !f.current.takes(r.Table) {
		if err := f.send(); err != nil {
			return err
		}
	}
	f.current.add(r)
	return nil
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

// close waits until all rows are visited, and the goroutines have ended, and
// returns the first error.
func (f *feed) close() error {
	err := f.send()
	close(f.chunks)
	close(f.work)
	<-f.done
	f.workers.Wait()
	if err == nil {
		err = f.err
	}
	return err
}
