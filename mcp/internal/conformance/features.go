package main

import (
	"context"
	"fmt"
	"strings"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// addResources registers the resources and the resource template.
func addResources(s *server.MCPServer) {
	read := func(contents mcpgo.ResourceContents) server.ResourceHandlerFunc {
		return func(context.Context, mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error) {
			return []mcpgo.ResourceContents{contents}, nil
		}
	}
	s.AddResource(
		mcpgo.NewResource("test://static-text", "Static text", mcpgo.WithResourceDescription("A text."), mcpgo.WithMIMEType("text/plain")),
		read(mcpgo.TextResourceContents{
			URI: "test://static-text", MIMEType: "text/plain", Text: "This is the content of the static text resource.",
		}))
	s.AddResource(
		mcpgo.NewResource("test://static-binary", "Static image", mcpgo.WithResourceDescription("An image."), mcpgo.WithMIMEType("image/png")),
		read(mcpgo.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: onePixel}))
	s.AddResource(
		mcpgo.NewResource("test://watched-resource", "Watched text", mcpgo.WithResourceDescription("A text to subscribe to."), mcpgo.WithMIMEType("text/plain")),
		read(mcpgo.TextResourceContents{URI: "test://watched-resource", MIMEType: "text/plain", Text: "Watched."}))
	s.AddResourceTemplate(
		mcpgo.NewResourceTemplate("test://template/{id}/data", "Data by id",
			mcpgo.WithTemplateDescription("Data of one id."), mcpgo.WithTemplateMIMEType("application/json")),
		func(_ context.Context, r mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error) {
			id := strings.TrimSuffix(strings.TrimPrefix(r.Params.URI, "test://template/"), "/data")
			return []mcpgo.ResourceContents{mcpgo.TextResourceContents{
				URI: r.Params.URI, MIMEType: "application/json",
				Text: fmt.Sprintf(`{"id":%q,"templateTest":true,"data":"Data for ID: %s"}`, id, id),
			}}, nil
		})
}

// addPrompts registers the prompts.
func addPrompts(s *server.MCPServer) {
	says := func(content mcpgo.Content) mcpgo.PromptMessage {
		return mcpgo.NewPromptMessage(mcpgo.RoleUser, content)
	}
	s.AddPrompt(mcpgo.NewPrompt("test_simple_prompt", mcpgo.WithPromptDescription("A prompt without arguments.")),
		func(context.Context, mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
			return mcpgo.NewGetPromptResult("", []mcpgo.PromptMessage{
				says(mcpgo.NewTextContent("This is a simple prompt for testing.")),
			}), nil
		})
	s.AddPrompt(mcpgo.NewPrompt("test_prompt_with_arguments", mcpgo.WithPromptDescription("A prompt with arguments."),
		mcpgo.WithArgument("arg1", mcpgo.ArgumentDescription("First test argument"), mcpgo.RequiredArgument()),
		mcpgo.WithArgument("arg2", mcpgo.ArgumentDescription("Second test argument"), mcpgo.RequiredArgument())),
		func(_ context.Context, r mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
			return mcpgo.NewGetPromptResult("", []mcpgo.PromptMessage{says(mcpgo.NewTextContent(fmt.Sprintf(
				"Prompt with arguments: arg1='%s', arg2='%s'", r.Params.Arguments["arg1"], r.Params.Arguments["arg2"])))}), nil
		})
	s.AddPrompt(mcpgo.NewPrompt("test_prompt_with_embedded_resource", mcpgo.WithPromptDescription("A prompt with a resource."),
		mcpgo.WithArgument("resourceUri", mcpgo.ArgumentDescription("URI of the resource to embed"), mcpgo.RequiredArgument())),
		func(_ context.Context, r mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
			return mcpgo.NewGetPromptResult("", []mcpgo.PromptMessage{
				says(mcpgo.NewEmbeddedResource(mcpgo.TextResourceContents{
					URI: r.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing.",
				})),
				says(mcpgo.NewTextContent("Please process the embedded resource above.")),
			}), nil
		})
	s.AddPrompt(mcpgo.NewPrompt("test_prompt_with_image", mcpgo.WithPromptDescription("A prompt with an image.")),
		func(context.Context, mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
			return mcpgo.NewGetPromptResult("", []mcpgo.PromptMessage{
				says(mcpgo.NewImageContent(onePixel, "image/png")),
				says(mcpgo.NewTextContent("Please analyze the image above.")),
			}), nil
		})
	s.AddPrompt(mcpgo.NewPrompt("test_input_required_result_prompt", mcpgo.WithPromptDescription("A prompt that asks for context.")),
		func(_ context.Context, r mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
			fields, ok := contentOf(server.ElicitationResponse(r.Params.InputResponses, "user_context"))
			if !ok {
				return server.NewInputRequestBuilder("").Elicit("user_context",
					form("What context should the prompt use?", object(map[string]any{"context": text()}, "context"))).PromptResult(), nil
			}
			return mcpgo.NewGetPromptResult("", []mcpgo.PromptMessage{
				says(mcpgo.NewTextContent(fmt.Sprintf("Context: %v", fields["context"]))),
			}), nil
		})
}

// addTriggers registers the tools that change the lists of tools and prompts,
// which mcp-go announces.
func addTriggers(s *server.MCPServer) {
	done := mcpgo.NewToolResultText("Changed.")
	trigger := tool("test_trigger_tool_change", "Changes the list of tools.", noArguments,
		func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			passing := fixed("test_passing_tool", "Comes and goes.", mcpgo.NewTextContent("here"))
			s.AddTool(passing.Tool, passing.Handler)
			s.DeleteTools("test_passing_tool")
			return done, nil
		})
	s.AddTool(trigger.Tool, trigger.Handler)
	trigger = tool("test_trigger_prompt_change", "Changes the list of prompts.", noArguments,
		func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
			s.AddPrompt(mcpgo.NewPrompt("test_passing_prompt"), func(context.Context, mcpgo.GetPromptRequest) (*mcpgo.GetPromptResult, error) {
				return mcpgo.NewGetPromptResult("", nil), nil
			})
			s.DeletePrompts("test_passing_prompt")
			return done, nil
		})
	s.AddTool(trigger.Tool, trigger.Handler)
}
