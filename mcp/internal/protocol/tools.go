package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// encodeTools returns the tools member of every tools/list result, ordered by
// name as mcp-go orders them.
func encodeTools(tools []server.ServerTool) ([]byte, error) {
	list := make([]mcpgo.Tool, len(tools))
	for i, tool := range tools {
		list[i] = tool.Tool
	}
	slices.SortFunc(list, func(a, b mcpgo.Tool) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(list); err != nil {
		return nil, fmt.Errorf("encode tools: %w", err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// checkTools returns an error for a tool that no client could call.
func checkTools(tools []server.ServerTool) error {
	seen := make(map[string]struct{}, len(tools))
	for _, tool := range tools {
		name := tool.Tool.Name
		if name == "" || tool.Handler == nil {
			return fmt.Errorf("tool %q needs a name and a handler", name)
		}
		if _, ok := seen[name]; ok {
			return fmt.Errorf("tool %q is registered twice", name)
		}
		seen[name] = struct{}{}
	}
	return nil
}

// headerTools returns the tools with arguments that a client repeats in
// Mcp-Param-* headers.
func headerTools(tools []server.ServerTool) map[string]*mcpgo.Tool {
	found := make(map[string]*mcpgo.Tool)
	for i := range tools {
		if tool := &tools[i].Tool; len(mcpgo.ExtractParamHeaderBindings(tool)) > 0 {
			found[tool.Name] = tool
		}
	}
	return found
}

// guardTool wraps every tool: what goes wrong inside becomes a result that the
// model can read and that shows nothing of this program, and a client is asked
// only for what it said it can answer.
func (s *Server) guardTool(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcpgo.CallToolRequest) (result *mcpgo.CallToolResult, err error) {
		defer func() {
			if p := recover(); p != nil {
				s.cfg.Logger.ErrorContext(ctx, "panic in a tool",
					"tool", request.Params.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				result, err = toolFailure(request.Params.Name), nil
			}
		}()
		result, err = next(ctx, request)
		if err == nil {
			err = undeclared(ctx, result)
		}
		switch {
		case isProtocolError(err):
			if sess, ok := server.ClientSessionFromContext(ctx).(*session); ok {
				sess.fail(err)
			}
			return nil, err
		case err != nil:
			s.cfg.Logger.ErrorContext(ctx, "tool failed", "tool", request.Params.Name, "error", err)
			return toolFailure(request.Params.Name), nil
		}
		return result, nil
	}
}

// isProtocolError reports whether err is meant for the client program.
func isProtocolError(err error) bool {
	_, own := errors.AsType[*Error](err)
	_, missing := errors.AsType[mcpgo.MissingRequiredClientCapabilityError](err)
	return own || missing
}

func toolFailure(tool string) *mcpgo.CallToolResult {
	return mcpgo.NewToolResultError("internal error in " + tool + ": the call may be repeated, the server's log has the reason")
}

// undeclared returns an error if result asks a client of the stateless era for
// something outside of the capabilities that came with the request.
func undeclared(ctx context.Context, result *mcpgo.CallToolResult) error {
	info := server.RequestProtocolInfoFromContext(ctx)
	if !result.NeedsInput() || info == nil || !info.Modern {
		return nil
	}
	capabilities := mcpgo.ClientCapabilities{}
	if info.ClientCapabilities != nil {
		capabilities = *info.ClientCapabilities
	}
	for _, request := range result.InputRequests {
		if name := lacking(request.Method, capabilities); name != "" {
			return mcpgo.MissingRequiredClientCapabilityError{Capability: name}
		}
	}
	return nil
}

// lacking returns the name of the capability that method needs and c lacks.
func lacking(method mcpgo.MCPMethod, c mcpgo.ClientCapabilities) string {
	switch {
	case method == mcpgo.MethodElicitationCreate && c.Elicitation == nil:
		return "elicitation"
	case method == mcpgo.MethodSamplingCreateMessage && c.Sampling == nil:
		return "sampling"
	case method == mcpgo.MethodListRoots && c.Roots == nil:
		return "roots"
	}
	return ""
}
