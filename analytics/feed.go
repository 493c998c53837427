package analytics

// Sizes of a chunk of rows between the reading of an account and its decoding.
const (
	chunkRows   = 1024
	chunkBytes  = 512 << 10
	chunksAhead = 2
)

// chunk is some rows with documents of its own: those of the store are valid
// only while they are visited.
type chunk struct {
	rows []Row
	ends []int // where each row's document ends in docs
	docs []byte
}

func (c *chunk) add(r Row) {
	c.docs = append(c.docs, r.Doc...)
	c.ends = append(c.ends, len(c.docs))
	r.Doc, r.ID = nil, "" // the document has the id
	c.rows = append(c.rows, r)
}

func (c *chunk) reset() *chunk {
	c.rows, c.ends, c.docs = c.rows[:0], c.ends[:0], c.docs[:0]
	return c
}

func (c *chunk) full() bool { return len(c.rows) >= chunkRows || len(c.docs) >= chunkBytes }

// each calls visit for every row until it fails.
func (c *chunk) each(visit func(Row) error) error {
	start := 0
	for i, r := range c.rows {
		r.Doc = c.docs[start:c.ends[i]:c.ends[i]]
		if err := visit(r); err != nil {
			return err
		}
		start = c.ends[i]
	}
	return nil
}

// feed hands rows to a goroutine of its own, so that one core reads an account
// while another decodes it. It ends with close, which must be called.
type feed struct {
	current *chunk
	chunks  chan *chunk
	free    chan *chunk   // visited, to be filled again
	done    chan struct{} // closed when the goroutine has ended
	err     error         // its error, once done is closed
}

func newFeed(visit func(Row) error) *feed {
	f := &feed{
		current: &chunk{}, chunks: make(chan *chunk, chunksAhead), free: make(chan *chunk, chunksAhead+2), done: make(chan struct{}),
	}
	go func() {
		defer close(f.done)
		for c := range f.chunks {
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
	select {
	case f.current = <-f.free:
	default:
		f.current = &chunk{}
	}
	return nil
}

// close waits until all rows are visited and returns the first error.
func (f *feed) close() error {
	err := f.send()
	close(f.chunks)
	<-f.done
	if err == nil {
		err = f.err
	}
	return err
}
