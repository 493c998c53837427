package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// A tools/call is nearly all of the traffic. mcp-go decodes its message five
// times and builds a tree of maps for each answer, so the calls that need
// nothing of the library, those of a tool that was registered at the start,
// are answered here; whatever is out of the ordinary is left to it.

// callTool answers a tools/call, or returns false to leave it to mcp-go.
func (s *Server) callTool(ctx context.Context, m *message, sess *session, buf []byte) (answer, bool) {
	handler, ok := s.handlers[m.target.Name]
	if !ok || m.targetErr != nil || len(m.target.Task) > 0 {
		return answer{}, false
	}
	request := mcpgo.CallToolRequest{Request: mcpgo.Request{Method: m.Method}}
	request.Params.Name = m.target.Name
	request.Params.MultiRoundTripParams = m.target.MultiRoundTripParams
	if m.target.Meta.ProgressToken != nil {
		request.Params.Meta = &mcpgo.Meta{ProgressToken: m.target.Meta.ProgressToken}
	}
	if len(m.target.Arguments) > 0 {
		request.Params.RawArguments = m.target.Arguments
		if json.Unmarshal(m.target.Arguments, &request.Params.Arguments) != nil {
			return answer{}, false
		}
	}
	modern := m.modern()
	if modern {
		info, ok := m.protocolInfo()
		if !ok {
			return answer{}, false
		}
		ctx = server.WithRequestProtocolInfo(ctx, info)
	}
	result, err := handler(s.mcp.WithContext(ctx, sess), request)
	sess.drain()
	switch {
	case err != nil:
		return s.refuse(ctx, m, protocolError(err)), true
	case result == nil:
		return s.internalError(ctx, m, errors.New("the tool returned nothing")), true
	case result.NeedsInput() && !modern:
		// A client of the handshake era is asked by requests, which mcp-go
		// makes of the tool's questions. It calls the tool once more for them.
		return answer{}, false
	}
	var parts encoded
	if modern {
		result, parts.meta = s.decorate(result), s.serverMeta
	}
	body, err := appendResponse(buf, m.ID, result, parts)
	if err != nil {
		return s.internalError(ctx, m, err), true
	}
	return answer{body: body}, true
}

// protocolInfo returns what a request of the stateless era says about its
// client, or false if that is not well-formed. Who the client is and which logs
// it wants is left out: no tool here looks at it.
func (m *message) protocolInfo() (*server.RequestProtocolInfo, bool) {
	raw := m.target.Meta.Capabilities
	if !mcpgo.IsValidProtocolVersion(m.version()) || len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	capabilities := new(mcpgo.ClientCapabilities)
	if string(raw) != "{}" && json.Unmarshal(raw, capabilities) != nil {
		return nil, false
	}
	return &server.RequestProtocolInfo{
		Modern: true, ProtocolVersion: m.version(), ClientCapabilities: capabilities,
	}, true
}

// decorate returns a copy of r with what the stateless era wants in every
// result. A result without _meta gets the server's when it is encoded.
func (s *Server) decorate(r *mcpgo.CallToolResult) *mcpgo.CallToolResult {
	decorated := *r
	if decorated.ResultType == "" {
		decorated.ResultType = mcpgo.ResultTypeComplete
	}
	if r.Meta != nil {
		meta := *r.Meta
		meta.AdditionalFields = maps.Clone(meta.AdditionalFields)
		meta.SetServerInfo(mcpgo.Implementation{Name: s.cfg.Name, Version: s.cfg.Version})
		decorated.Meta = &meta
	}
	return &decorated
}

// encodeServerMeta returns the _meta that names the server.
func encodeServerMeta(name, version string) ([]byte, error) {
	var meta mcpgo.Meta
	meta.SetServerInfo(mcpgo.Implementation{Name: name, Version: version})
	return json.Marshal(&meta)
}

// guardedHandlers returns the handlers of tools by name, as mcp-go calls them.
func (s *Server) guardedHandlers(tools []server.ServerTool) map[string]server.ToolHandlerFunc {
	handlers := make(map[string]server.ToolHandlerFunc, len(tools))
	for _, tool := range tools {
		handlers[tool.Tool.Name] = s.guardTool(tool.Handler)
	}
	return handlers
}
