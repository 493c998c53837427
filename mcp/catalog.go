package mcp

import "github.com/mark3labs/mcp-go/server"

// catalog returns the tools in the order of their names.
func (s *Server) catalog() []server.ServerTool { return nil }

// instructions is what a client tells its model about this server.
const instructions = ""
