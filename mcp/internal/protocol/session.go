package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// notificationBuffer is how many notifications a handler may run ahead of a
// slow client; mcp-go drops what does not fit.
const notificationBuffer = 256

// sink takes what is sent to the client while a request is being answered.
type sink interface {
	// send writes one encoded JSON-RPC message.
	send(msg []byte) error
	// ping keeps an idle stream alive.
	ping()
}

// peer is what is known of the client at the other end. On stdio it lives as
// long as the process, over HTTP as long as one request.
type peer struct {
	mu           sync.Mutex
	version      string
	info         mcpgo.Implementation
	capabilities mcpgo.ClientCapabilities
	logLevel     mcpgo.LoggingLevel
}

// session is one request as mcp-go sees it. Giving every request its own keeps
// the notifications of concurrent requests apart, and lets the response wait
// for exactly the notifications that belong before it.
type session struct {
	id        string
	peer      *peer
	sink      sink
	asks      *asks
	keepAlive time.Duration
	// subscription is the request id that tags every message of a
	// subscriptions/listen stream; nil for other requests.
	subscription json.RawMessage

	mu            sync.Mutex
	notifications chan mcpgo.JSONRPCNotification
	stop, stopped chan struct{}
	drained       bool
	failure       error
	filter        *mcpgo.SubscriptionFilter
	resources     map[string]struct{}
}

// What mcp-go looks for in a session.
var (
	_ server.SessionWithLogging               = (*session)(nil)
	_ server.SessionWithClientInfo            = (*session)(nil)
	_ server.SessionWithProtocolVersion       = (*session)(nil)
	_ server.SessionWithElicitation           = (*session)(nil)
	_ server.SessionWithSampling              = (*session)(nil)
	_ server.SessionWithRoots                 = (*session)(nil)
	_ server.SessionWithSubscriptionFilter    = (*session)(nil)
	_ server.SessionWithResourceSubscriptions = (*session)(nil)
)

func (s *session) SessionID() string { return s.id }

// Initialize does nothing: a stateless server has no handshake to wait for.
func (s *session) Initialize() {}

func (s *session) Initialized() bool { return true }

// NotificationChannel starts forwarding on first use, so that the many
// requests that notify nobody pay nothing.
func (s *session) NotificationChannel() chan<- mcpgo.JSONRPCNotification {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.notifications == nil {
		s.notifications = make(chan mcpgo.JSONRPCNotification, notificationBuffer)
		if !s.drained {
			s.stop, s.stopped = make(chan struct{}), make(chan struct{})
			go s.forward(s.notifications, s.stop, s.stopped)
		}
	}
	return s.notifications
}

// forward sends notifications as they come, then those that are left when the
// request has been handled.
func (s *session) forward(from <-chan mcpgo.JSONRPCNotification, stop <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	idle := time.NewTicker(s.keepAlive)
	defer idle.Stop()
	for {
		select {
		case n := <-from:
			s.forwardOne(n)
			idle.Reset(s.keepAlive)
		case <-idle.C:
			s.sink.ping()
		case <-stop:
			for {
				select {
				case n := <-from:
					s.forwardOne(n)
				default:
					return
				}
			}
		}
	}
}

func (s *session) forwardOne(n mcpgo.JSONRPCNotification) {
	if s.subscription != nil {
		meta := make(map[string]any, len(n.Params.Meta)+1)
		maps.Copy(meta, n.Params.Meta)
		meta[mcpgo.MetaKeySubscriptionID] = s.subscription
		n.Params.Meta = meta
	}
	encoded, err := json.Marshal(n)
	if err != nil {
		return // a handler put something into it that is not JSON
	}
	// A client that is gone ends the request by its context.
	_ = s.sink.send(encoded)
}

// drain returns when every notification sent so far is on its way, and lets
// later ones go nowhere.
func (s *session) drain() {
	s.mu.Lock()
	s.drained = true
	stop, stopped := s.stop, s.stopped
	s.stop = nil
	s.mu.Unlock()
	if stop == nil {
		return
	}
	close(stop)
	<-stopped
}

// fail records an error that the answer must carry with a code of its own.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
}

func (s *session) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// ProtocolVersion is the version of the handshake, or of the header that
// replaces it over HTTP.
func (s *session) ProtocolVersion() string {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.version
}

// SetProtocolVersion records the version of the handshake.
func (s *session) SetProtocolVersion(version string) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.version = version
}

func (s *session) GetClientInfo() mcpgo.Implementation {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.info
}

func (s *session) SetClientInfo(info mcpgo.Implementation) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.info = info
}

func (s *session) GetClientCapabilities() mcpgo.ClientCapabilities {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.capabilities
}

func (s *session) SetClientCapabilities(capabilities mcpgo.ClientCapabilities) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.capabilities = capabilities
}

func (s *session) GetLogLevel() mcpgo.LoggingLevel {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	return s.peer.logLevel
}

func (s *session) SetLogLevel(level mcpgo.LoggingLevel) {
	s.peer.mu.Lock()
	defer s.peer.mu.Unlock()
	s.peer.logLevel = level
}

// SetSubscriptionFilter records what a subscriptions/listen stream carries.
func (s *session) SetSubscriptionFilter(filter mcpgo.SubscriptionFilter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter = &filter
}

// SubscriptionFilter reports a filter as active from the first message of the
// stream on: nothing that was not asked for may slip in before it is set.
func (s *session) SubscriptionFilter() (mcpgo.SubscriptionFilter, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filter == nil {
		return mcpgo.SubscriptionFilter{}, s.subscription != nil
	}
	return *s.filter, true
}

func (s *session) SubscribeToResource(uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resources == nil {
		s.resources = make(map[string]struct{})
	}
	s.resources[uri] = struct{}{}
}

func (s *session) UnsubscribeFromResource(uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources, uri)
}

func (s *session) SubscribedResources() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.resources))
}

func (s *session) IsSubscribedToResource(uri string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.resources[uri]
	return ok
}

// RequestElicitation asks the user through a client of the handshake era. A
// client that refuses to ask counts as a user who closed the question.
func (s *session) RequestElicitation(ctx context.Context, r mcpgo.ElicitationRequest) (*mcpgo.ElicitationResult, error) {
	var result mcpgo.ElicitationResult
	err := s.ask(ctx, string(mcpgo.MethodElicitationCreate), r.Params, &result)
	if errors.Is(err, errNoAnswer) {
		result.Action = mcpgo.ElicitationResponseActionCancel
		return &result, nil
	}
	if err != nil {
		return nil, err
	}
	return &result, nil
}

// RequestSampling asks the model of a client of the handshake era.
func (s *session) RequestSampling(ctx context.Context, r mcpgo.CreateMessageRequest) (*mcpgo.CreateMessageResult, error) {
	var result mcpgo.CreateMessageResult
	if err := s.ask(ctx, string(mcpgo.MethodSamplingCreateMessage), r.CreateMessageParams, &result); err != nil {
		return nil, err
	}
	return &result, nil
}

// ListRoots asks a client of the handshake era for its roots.
func (s *session) ListRoots(ctx context.Context, _ mcpgo.ListRootsRequest) (*mcpgo.ListRootsResult, error) {
	var result mcpgo.ListRootsResult
	if err := s.ask(ctx, string(mcpgo.MethodListRoots), nil, &result); err != nil {
		return nil, err
	}
	return &result, nil
}
