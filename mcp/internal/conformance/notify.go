package main

import (
	"context"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// pause is how far apart the suite wants notifications to be.
const pause = 50 * time.Millisecond

// addNotifiers registers the tools that tell the client something while they
// work, which needs the server they belong to.
func addNotifiers(s *server.MCPServer) {
	for _, t := range []server.ServerTool{
		tool("test_tool_with_logging", "Logs while it works.", noArguments, logThrice(s)),
		tool("test_logging_tool", "Logs while it works.", noArguments, logThrice(s)),
		tool("test_tool_with_progress", "Reports progress while it works.", noArguments, progressThrice(s)),
	} {
		s.AddTool(t.Tool, t.Handler)
	}
}

func logThrice(s *server.MCPServer) server.ToolHandlerFunc {
	return func(ctx context.Context, _ mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		for i, text := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
			if i > 0 {
				time.Sleep(pause)
			}
			if err := s.SendLogMessageToClient(ctx, mcpgo.NewLoggingMessageNotification(mcpgo.LoggingLevelInfo, "fixtures", text)); err != nil {
				return nil, err
			}
		}
		return mcpgo.NewToolResultText("Logged three messages."), nil
	}
}

func progressThrice(s *server.MCPServer) server.ToolHandlerFunc {
	return func(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		for i, progress := range []int{0, 50, 100} {
			if i > 0 {
				time.Sleep(pause)
			}
			if r.Params.Meta == nil || r.Params.Meta.ProgressToken == nil {
				continue
			}
			if err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
				"progressToken": r.Params.Meta.ProgressToken, "progress": progress, "total": 100,
			}); err != nil {
				return nil, err
			}
		}
		return mcpgo.NewToolResultText("Reported progress."), nil
	}
}
