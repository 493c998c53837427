package protocol

import (
	"context"
	"fmt"
	"runtime/debug"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// reader reads a resource, static or of a template.
type reader func(context.Context, mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error)

// addResources adds the resources of the configuration, if there are any.
func (s *Server) addResources(resources []server.ServerResource, templates []server.ServerResourceTemplate) {
	if len(resources)+len(templates) == 0 {
		return
	}
	server.WithResourceCapabilities(false, false)(s.mcp)
	for _, r := range resources {
		s.mcp.AddResource(r.Resource, server.ResourceHandlerFunc(s.guardReader(reader(r.Handler))))
	}
	for _, t := range templates {
		s.mcp.AddResourceTemplate(t.Template, server.ResourceTemplateHandlerFunc(s.guardReader(reader(t.Handler))))
	}
}

// guardReader hands an *Error of a reader to the client as it is; any other
// error, and a panic, is for the log.
func (s *Server) guardReader(next reader) reader {
	return func(ctx context.Context, request mcpgo.ReadResourceRequest) (contents []mcpgo.ResourceContents, err error) {
		defer func() {
			if p := recover(); p != nil {
				s.cfg.Logger.ErrorContext(ctx, "panic in a resource", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				contents, err = nil, fmt.Errorf("read %s: panic", request.Params.URI)
			}
		}()
		contents, err = next(ctx, request)
		if isProtocolError(err) {
			if sess, ok := server.ClientSessionFromContext(ctx).(*session); ok {
				sess.fail(err)
			}
		}
		return contents, err
	}
}
