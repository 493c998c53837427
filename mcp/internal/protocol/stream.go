package protocol

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// errNoStream means that the client did not say it can read an event stream,
// so there is no way to tell it anything before the response.
var errNoStream = errors.New("the client accepts no event stream")

// stream is the answer to one POST: a JSON document, or, as soon as something
// has to be sent before the response, server-sent events.
type stream struct {
	w http.ResponseWriter
	// events says that the client accepts text/event-stream, json that it
	// accepts application/json. A client that says nothing gets JSON.
	events, json bool

	mu      sync.Mutex
	started bool
	err     error
}

func newStream(w http.ResponseWriter, accept []string) *stream {
	events, json := accepts(accept)
	return &stream{w: w, events: events, json: json || !events}
}

// accepts reads the Accept headers of a request. A wildcard means JSON, not
// events: curl sends one and expects a document.
func accepts(accept []string) (events, json bool) {
	for _, value := range accept {
		for part := range strings.SplitSeq(value, ",") {
			mediaType, quality := mediaRange(part)
			if isZero(quality) {
				continue
			}
			switch mediaType {
			case "text/event-stream":
				events = true
			case "application/json", "application/*", "*/*":
				json = true
			}
		}
	}
	return events, json
}

// mediaRange returns the media type of one member of an Accept header, and its
// quality if it has one.
func mediaRange(part string) (mediaType, quality string) {
	if strings.IndexByte(part, ';') < 0 {
		return strings.ToLower(strings.TrimSpace(part)), ""
	}
	mediaType, params, err := mime.ParseMediaType(part)
	if err != nil {
		return "", ""
	}
	return mediaType, params["q"]
}

func isZero(quality string) bool {
	q, err := strconv.ParseFloat(quality, 64)
	return err == nil && q == 0
}

// send implements sink.
func (st *stream) send(msg []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.event(msg)
}

// event writes one event and starts the stream if need be. The caller holds mu.
func (st *stream) event(msg []byte) error {
	if !st.events {
		return errNoStream
	}
	if !st.started {
		st.start()
	}
	frame := make([]byte, 0, len(msg)+24)
	frame = append(frame, "event: message\ndata: "...)
	frame = append(frame, msg...)
	frame = append(frame, "\n\n"...)
	return st.write(frame)
}

func (st *stream) start() {
	header := st.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-cache, no-transform")
	// nginx and its relatives buffer responses unless told otherwise.
	header.Set("X-Accel-Buffering", "no")
	st.w.WriteHeader(http.StatusOK)
	st.started = true
}

// begun reports whether something was sent before the response.
func (st *stream) begun() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.started
}

func (st *stream) write(frame []byte) error {
	if st.err != nil {
		return st.err
	}
	if _, st.err = st.w.Write(frame); st.err == nil {
		st.err = http.NewResponseController(st.w).Flush()
	}
	return st.err
}

// ping writes a comment, which clients skip and proxies take for traffic.
func (st *stream) ping() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.started {
		// A dead connection cancels the request by its context.
		_ = st.write([]byte(":\n\n"))
	}
}

// finish sends the response: as the last event of a stream that has begun, else
// as a document with the given status.
func (st *stream) finish(status int, body []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.started || !st.json && status == http.StatusOK {
		_ = st.event(body)
		return
	}
	writeJSON(st.w, status, body)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
