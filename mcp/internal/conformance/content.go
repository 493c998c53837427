package main

import (
	"context"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	// onePixel is a 1x1 PNG, silence a WAV file without samples.
	onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	silence  = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

	noArguments = `{"type":"object","additionalProperties":false}`
)

// tool returns a fixture with the given input schema.
func tool(name, description, schema string, handler server.ToolHandlerFunc) server.ServerTool {
	return server.ServerTool{
		Tool:    mcpgo.NewToolWithRawSchema(name, description, []byte(schema)),
		Handler: handler,
	}
}

// fixed returns a tool without arguments that always answers the same.
func fixed(name, description string, content ...mcpgo.Content) server.ServerTool {
	return tool(name, description, noArguments,
		func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			return &mcpgo.CallToolResult{Content: content}, nil
		})
}

// contentTools are the tools that answer without asking anything.
func contentTools() []server.ServerTool {
	image := mcpgo.NewImageContent(onePixel, "image/png")
	return []server.ServerTool{
		fixed("test_simple_text", "Returns a text.",
			mcpgo.NewTextContent("This is a simple text response for testing.")),
		fixed("test_image_content", "Returns an image.", image),
		fixed("test_audio_content", "Returns a sound.", mcpgo.NewAudioContent(silence, "audio/wav")),
		fixed("test_embedded_resource", "Returns an embedded resource.",
			mcpgo.NewEmbeddedResource(mcpgo.TextResourceContents{
				URI: "test://embedded-resource", MIMEType: "text/plain", Text: "This is an embedded resource content.",
			})),
		fixed("test_multiple_content_types", "Returns a text, an image and a resource.",
			mcpgo.NewTextContent("Multiple content types test:"), image,
			mcpgo.NewEmbeddedResource(mcpgo.TextResourceContents{
				URI: "test://mixed-content-resource", MIMEType: "application/json", Text: `{"test":"data","value":123}`,
			})),
		tool("test_error_handling", "Always fails.", noArguments,
			func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return mcpgo.NewToolResultError("This tool intentionally returns an error for testing"), nil
			}),
		tool("json_schema_2020_12_tool", "Has an input schema with the keywords of 2020-12.", schema2020,
			func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return mcpgo.NewToolResultText("ok"), nil
			}),
		tool("test_header_param", "Has an argument that is repeated in a header.",
			`{"type":"object","properties":{"region":{"type":"string","description":"A region.","x-mcp-header":"Region"}},"required":["region"],"additionalProperties":false}`,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return mcpgo.NewToolResultText("region " + r.GetString("region", "")), nil
			}),
	}
}

const schema2020 = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "$defs": {
    "address": {
      "$anchor": "addressDef",
      "type": "object",
      "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
    }
  },
  "properties": {
    "name": {"type": "string"},
    "address": {"$ref": "#/$defs/address"},
    "contactMethod": {"type": "string", "enum": ["phone", "email"]},
    "phone": {"type": "string"},
    "email": {"type": "string"}
  },
  "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
  "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
  "then": {"required": ["phone"]},
  "else": {"required": ["email"]},
  "additionalProperties": false
}`
