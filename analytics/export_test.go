package analytics

import "runtime"

// WaitForWriters returns once exactly n writes wait for the account's lock.
func (e *Engine) WaitForWriters(account string, n int) {
	a, err := e.pin(account)
	if err != nil {
		return
	}
	defer e.unpin(a)
	for a.queue.len() != n {
		runtime.Gosched()
	}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
