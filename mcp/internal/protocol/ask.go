package protocol

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// askTimeout is how long a person may think about a question.
const askTimeout = 5 * time.Minute

// errNoAnswer means that the client refused to answer a question.
var errNoAnswer = errors.New("the client did not answer")

// asks are the questions this process has put to clients of the handshake era
// and that are still open. The answer to one that went out on an HTTP stream
// comes back as a request of its own, so its id is random: only the client
// that was asked knows it.
type asks struct {
	mu   sync.Mutex
	open map[string]chan message
}

// ask sends a request to the client and decodes its result into result.
func (s *session) ask(ctx context.Context, method string, params, result any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()

	id, answer := s.asks.add()
	defer s.asks.remove(id)

	request, err := json.Marshal(struct {
		JSONRPC string `json:"jsonrpc"`
		ID      string `json:"id"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
	}{"2.0", id, method, params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	if err := s.sink.send(request); err != nil {
		return fmt.Errorf("send %s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Result == nil {
			return fmt.Errorf("%s: %w: %s", method, errNoAnswer, m.Error)
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			return fmt.Errorf("decode answer to %s: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (a *asks) add() (id string, answer chan message) {
	id, answer = rand.Text(), make(chan message, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open = make(map[string]chan message)
	}
	a.open[id] = answer
	return id, answer
}

func (a *asks) remove(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, id)
}

// answer hands a response to whoever waits for it. Late and unknown ones are
// dropped: their question has timed out.
func (a *asks) answer(m message) {
	var id string
	if json.Unmarshal(m.ID, &id) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if answer, ok := a.open[id]; ok {
		delete(a.open, id)
		answer <- m
	}
}
