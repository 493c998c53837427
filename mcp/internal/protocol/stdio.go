package protocol

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

const (
	// stdioParallel is how many requests of the one client on stdio are worked
	// on at a time, stdioOpen how many may be open.
	stdioParallel = 16
	stdioOpen     = 1024
	// stdioGrace is how long open requests may go on when the input has ended,
	// stdioLeave how long canceled ones may take to notice. A client that has
	// stopped reading holds them up for good.
	stdioGrace = 10 * time.Second
	stdioLeave = 2 * time.Second
)

// ServeStdio answers the messages of in, one per line, on out. When in ends the
// requests that are still worked on are finished first; when ctx ends they are
// canceled. Both are a clean end and return nil; only a broken stream is an
// error. A read that is blocked when ctx ends is left behind.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listening, hangUp := context.WithCancel(ctx)
	defer hangUp()
	c := &stdioConn{
		server: s, out: out, peer: newPeer(""), abort: cancel, listening: listening,
		running: make(map[string]*running), slots: make(chan struct{}, stdioParallel),
	}
	lines, readErr := make(chan []byte), make(chan error, 1)
	go func() {
		defer close(lines)
		readErr <- readLines(in, s.cfg.BodyLimit, func(line []byte) bool {
			select {
			case lines <- line:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				hangUp()
				c.finish(stdioGrace)
				cancel()
				c.finish(stdioLeave)
				return errors.Join(<-readErr, c.failure())
			}
			c.receive(ctx, line)
		case <-ctx.Done():
			c.finish(stdioLeave)
			return c.failure()
		}
	}
}

// finish waits for the open requests, but no longer than limit.
func (c *stdioConn) finish(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.work.Wait()
	}()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	select {
	case <-done:
	case <-timeout.C:
	}
}

// readLines calls yield with each line of in, without its end, until it returns
// false. A line longer than limit is passed on as nil.
func readLines(in io.Reader, limit int64, yield func([]byte) bool) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	var line []byte
	tooLong := false
	for {
		part, err := reader.ReadSlice('\n')
		if int64(len(line)+len(part)) > limit {
			tooLong, line = true, nil
		}
		if !tooLong {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if line = bytes.TrimSpace(line); len(line) > 0 || tooLong {
			if !yield(line) {
				return nil
			}
		}
		line, tooLong = nil, false
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read message: %w", err)
		}
	}
}

// stdioConn is the one client of a stdio server.
type stdioConn struct {
	server *Server
	peer   *peer
	// abort ends everything, because there is nowhere left to write to.
	abort context.CancelFunc
	// listening ends with the input and ends the subscriptions.
	listening context.Context
	slots     chan struct{}
	work      sync.WaitGroup

	writing sync.Mutex
	out     io.Writer

	broken   sync.Mutex // guards writeErr, which is read while a write hangs
	writeErr error

	mu      sync.Mutex
	open    int
	running map[string]*running
}

// running is a request that is being worked on.
type running struct {
	cancel   context.CancelFunc
	canceled bool
}

// receive starts the work on one line.
func (c *stdioConn) receive(ctx context.Context, line []byte) {
	s := c.server
	if line == nil {
		c.reply(s.refuse(ctx, &message{}, &Error{
			Code:    mcpgo.INVALID_REQUEST,
			Message: fmt.Sprintf("the message has more than %d bytes", s.cfg.BodyLimit),
		}).body)
		return
	}
	batch, isBatch, problem := splitBatch(line)
	if isBatch && problem == nil {
		c.start(ctx, &message{}, func(ctx context.Context, r *running) []byte {
			return s.answerBatch(ctx, batch, func(m *message) answer {
				return s.handle(ctx, m, s.newSession(c.peer, &requestSink{conn: c, request: r}), nil)
			})
		})
		return
	}
	var m message
	if problem == nil {
		m, problem = parseMessage(line)
	}
	switch {
	case problem != nil:
		c.reply(s.refuse(ctx, &m, problem).body)
	case m.isResponse():
		s.asks.answer(m)
	case m.Method == string(mcpgo.MethodNotificationCancelled):
		c.cancel(m.Params)
	case m.isNotification():
	case m.Method == string(mcpgo.MethodInitialize):
		// What the client says about itself is known before its next message.
		c.reply(s.handle(ctx, &m, s.newSession(c.peer, c), nil).body)
	default:
		c.start(ctx, &m, func(ctx context.Context, r *running) []byte {
			sess := s.newSession(c.peer, &requestSink{conn: c, request: r})
			if m.Method == string(mcpgo.MethodSubscriptionsListen) {
				sess.subscription = m.ID
				defer context.AfterFunc(c.listening, r.cancel)()
			}
			return s.handle(ctx, &m, sess, s.buffer()).body
		})
	}
}

// start runs work beside the reading and sends what it returns, unless the
// client cancels the request: then, as the specification asks, nothing more is
// sent for it.
func (c *stdioConn) start(ctx context.Context, m *message, work func(context.Context, *running) []byte) {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{cancel: cancel}
	if !c.add(string(m.ID), r) {
		cancel()
		c.reply(c.server.refuse(ctx, m, &Error{
			Code:    mcpgo.INTERNAL_ERROR,
			Message: fmt.Sprintf("%d requests are open already, wait for their answers", stdioOpen),
		}).body)
		return
	}
	c.work.Go(func() {
		defer cancel()
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		body := work(ctx, r)
		if c.done(string(m.ID), r) {
			c.reply(body)
		}
		c.server.recycle(body)
	})
}

// add notes that a request is open, or returns false if there are too many.
// Batches, which have no id, are noted under theirs, "".
func (c *stdioConn) add(id string, r *running) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= stdioOpen {
		return false
	}
	c.open++
	c.running[id] = r
	return true
}

// done notes that a request is answered and reports whether the answer is
// still wanted.
func (c *stdioConn) done(id string, r *running) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if c.running[id] == r {
		delete(c.running, id)
	}
	return !r.canceled
}

// cancel ends the request that a notifications/cancelled names.
func (c *stdioConn) cancel(params json.RawMessage) {
	var canceled struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(params, &canceled) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.running[string(canceled.RequestID)]; ok {
		r.canceled = true
		r.cancel()
	}
}

// reply writes one message; nil, the answer to a batch of notifications, is
// none.
func (c *stdioConn) reply(msg []byte) {
	if msg != nil {
		_ = c.send(msg) // a failure ends the whole server, see failure
	}
}

// send implements sink.
func (c *stdioConn) send(msg []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.failure(); err != nil {
		return err
	}
	// One write per message: a line is never torn, and the copy that append
	// makes is cheaper than a second system call.
	if _, err := c.out.Write(append(msg, '\n')); err != nil {
		c.fail(fmt.Errorf("write message: %w", err))
	}
	return c.failure()
}

// ping implements sink; a pipe needs none.
func (c *stdioConn) ping() {}

// fail notes that the output stream is broken, which ends the server.
func (c *stdioConn) fail(err error) {
	c.broken.Lock()
	defer c.broken.Unlock()
	c.writeErr = err
	c.abort()
}

// failure is the error that broke the output stream.
func (c *stdioConn) failure() error {
	c.broken.Lock()
	defer c.broken.Unlock()
	return c.writeErr
}

// requestSink sends what belongs to one request while that is wanted.
type requestSink struct {
	conn    *stdioConn
	request *running
}

func (r *requestSink) send(msg []byte) error {
	r.conn.mu.Lock()
	canceled := r.request.canceled
	r.conn.mu.Unlock()
	if canceled {
		return context.Canceled
	}
	return r.conn.send(msg)
}

func (r *requestSink) ping() {}
