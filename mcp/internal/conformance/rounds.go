package main

import (
	"context"
	"encoding/json"
	"fmt"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/growpanel/growpanel-mcp/mcp/internal/protocol"
)

// object is a JSON Schema of an object with the given properties.
func object(properties map[string]any, required ...string) map[string]any {
	schema := map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func text() map[string]any { return map[string]any{"type": "string"} }

func form(message string, schema map[string]any) mcpgo.ElicitationParams {
	return mcpgo.ElicitationParams{Message: message, RequestedSchema: schema}
}

func sample(prompt string, maxTokens int) mcpgo.CreateMessageParams {
	return mcpgo.CreateMessageParams{
		Messages:  []mcpgo.SamplingMessage{{Role: mcpgo.RoleUser, Content: mcpgo.NewTextContent(prompt)}},
		MaxTokens: maxTokens,
	}
}

// askingTools ask once, by a round trip or, of a client of the handshake era,
// by a request of their own; mcp-go turns the first into the second.
func askingTools() []server.ServerTool {
	const prompt = `{"type":"object","properties":{"prompt":{"type":"string"}},"required":["prompt"],"additionalProperties":false}`
	const message = `{"type":"object","properties":{"message":{"type":"string"}},"required":["message"],"additionalProperties":false}`
	return []server.ServerTool{
		tool("test_sampling", "Asks the client's model.", prompt,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				answer := server.SamplingResponse(r.Params.InputResponses, "llm")
				if answer == nil {
					return server.NewInputRequestBuilder("").Sample("llm", sample(r.GetString("prompt", ""), 100)).ToolResult(), nil
				}
				return mcpgo.NewToolResultText("LLM response: " + render(answer.Content)), nil
			}),
		tool("test_elicitation", "Asks the user.", message,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return elicit(r, "User response: ", form(r.GetString("message", ""), object(map[string]any{
					"username": map[string]any{"type": "string", "description": "User's response"},
					"email":    map[string]any{"type": "string", "description": "User's email address"},
				}, "username", "email")))
			}),
		tool("test_elicitation_sep1034_defaults", "Asks the user with default values.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return elicit(r, "Elicitation completed: ", form("Check the defaults", object(map[string]any{
					"name":     map[string]any{"type": "string", "default": "John Doe"},
					"age":      map[string]any{"type": "integer", "default": 30},
					"score":    map[string]any{"type": "number", "default": 95.5},
					"status":   map[string]any{"type": "string", "enum": []string{"active", "inactive", "pending"}, "default": "active"},
					"verified": map[string]any{"type": "boolean", "default": true},
				})))
			}),
		tool("test_elicitation_sep1330_enums", "Asks the user to choose.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return elicit(r, "Elicitation completed: ", form("Choose", object(enums())))
			}),
		tool("test_missing_capability", "Needs sampling.", noArguments,
			func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return server.NewInputRequestBuilder("").Sample("llm", sample("Say hello", 10)).ToolResult(), nil
			}),
		tool("test_streaming_elicitation", "Asks the user.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return elicit(r, "Elicitation completed: ", form("Go on?", object(map[string]any{"ok": map[string]any{"type": "boolean"}}, "ok")))
			}),
	}
}

// elicit asks the user once and then tells what came back.
func elicit(r mcpgo.CallToolRequest, prefix string, params mcpgo.ElicitationParams) (*mcpgo.CallToolResult, error) {
	answer := server.ElicitationResponse(r.Params.InputResponses, "answer")
	if answer == nil {
		return server.NewInputRequestBuilder("").Elicit("answer", params).ToolResult(), nil
	}
	return mcpgo.NewToolResultText(fmt.Sprintf("%saction=%s, content=%s", prefix, answer.Action, render(answer.Content))), nil
}

func enums() map[string]any {
	titled := func(value, title string) map[string]any { return map[string]any{"const": value, "title": title} }
	options := []string{"option1", "option2", "option3"}
	return map[string]any{
		"untitledSingle": map[string]any{"type": "string", "enum": options},
		"titledSingle": map[string]any{"type": "string", "oneOf": []any{
			titled("value1", "First Option"), titled("value2", "Second Option"), titled("value3", "Third Option"),
		}},
		"legacyEnum": map[string]any{
			"type": "string", "enum": []string{"opt1", "opt2", "opt3"},
			"enumNames": []string{"Option One", "Option Two", "Option Three"},
		},
		"untitledMulti": map[string]any{"type": "array", "items": map[string]any{"type": "string", "enum": options}},
		"titledMulti": map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{
			titled("value1", "First Choice"), titled("value2", "Second Choice"), titled("value3", "Third Choice"),
		}}},
	}
}

func render(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

// roundTools ask by round trips with a sealed state.
func roundTools(states *protocol.Sealer) []server.ServerTool {
	name := form("What is your name?", object(map[string]any{"name": text()}, "name"))
	confirmation := form("Please confirm", object(map[string]any{"ok": map[string]any{"type": "boolean"}}, "ok"))
	return []server.ServerTool{
		tool("test_input_required_result_elicitation", "Asks for a name.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				answer := server.ElicitationResponse(r.Params.InputResponses, "user_name")
				fields, ok := contentOf(answer)
				if !ok {
					return server.NewInputRequestBuilder("").Elicit("user_name", name).ToolResult(), nil
				}
				return mcpgo.NewToolResultText(fmt.Sprintf("Hello, %v!", fields["name"])), nil
			}),
		tool("test_input_required_result_sampling", "Asks the client's model.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				answer := server.SamplingResponse(r.Params.InputResponses, "capital_question")
				if answer == nil {
					return server.NewInputRequestBuilder("").
						Sample("capital_question", sample("What is the capital of France?", 100)).ToolResult(), nil
				}
				return mcpgo.NewToolResultText("The model says " + render(answer.Content)), nil
			}),
		tool("test_input_required_result_list_roots", "Asks for the roots.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				answer := server.RootsResponse(r.Params.InputResponses, "client_roots")
				if answer == nil {
					return server.NewInputRequestBuilder("").Roots("client_roots").ToolResult(), nil
				}
				return mcpgo.NewToolResultText("Roots: " + render(answer.Roots)), nil
			}),
		tool("test_input_required_result_request_state", "Asks for a confirmation.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return confirmed(states, r, confirmation)
			}),
		tool("test_input_required_result_tampered_state", "Asks for a confirmation.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return confirmed(states, r, confirmation)
			}),
		tool("test_input_required_result_multiple_inputs", "Asks for three things at once.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				answers := r.Params.InputResponses
				if _, ok := contentOf(server.ElicitationResponse(answers, "user_name")); !ok ||
					server.SamplingResponse(answers, "greeting") == nil || server.RootsResponse(answers, "client_roots") == nil {
					return server.NewInputRequestBuilder(states.Seal([]byte(r.Params.Name))).
						Elicit("user_name", name).
						Sample("greeting", sample("Generate a greeting", 50)).
						Roots("client_roots").ToolResult(), nil
				}
				return mcpgo.NewToolResultText("Got all three answers."), nil
			}),
		tool("test_input_required_result_multi_round", "Asks twice.", noArguments,
			func(_ context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
				return twoRounds(states, r)
			}),
		tool("test_input_required_result_capabilities", "Asks only what the client can answer.", noArguments, askWhatIsDeclared),
	}
}

func contentOf(answer *mcpgo.ElicitationResult) (fields map[string]any, ok bool) {
	if answer == nil || answer.Action != mcpgo.ElicitationResponseActionAccept {
		return nil, false
	}
	fields, ok = answer.Content.(map[string]any)
	return fields, ok
}

// confirmed asks for a confirmation and refuses a state that is not its own.
func confirmed(states *protocol.Sealer, r mcpgo.CallToolRequest, question mcpgo.ElicitationParams) (*mcpgo.CallToolResult, error) {
	subject := []byte(r.Params.Name)
	if len(r.Params.InputResponses) == 0 && r.Params.RequestState == "" {
		return server.NewInputRequestBuilder(states.Seal(subject)).Elicit("confirm", question).ToolResult(), nil
	}
	if !states.Valid(r.Params.RequestState, subject) {
		return nil, &protocol.Error{Code: mcpgo.INVALID_PARAMS, Message: "requestState is not one of this server's"}
	}
	return mcpgo.NewToolResultText("state-ok"), nil
}

// twoRounds asks for a name, then for a color; the state says which is next.
func twoRounds(states *protocol.Sealer, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
	state := r.Params.RequestState
	switch {
	case state == "":
		return server.NewInputRequestBuilder(states.Seal([]byte("step1"))).
			Elicit("step1", form("Step 1: What is your name?", object(map[string]any{"name": text()}, "name"))).ToolResult(), nil
	case states.Valid(state, []byte("step1")):
		return server.NewInputRequestBuilder(states.Seal([]byte("step2"))).
			Elicit("step2", form("Step 2: What is your favorite color?", object(map[string]any{"color": text()}, "color"))).ToolResult(), nil
	case states.Valid(state, []byte("step2")):
		return mcpgo.NewToolResultText("Both steps are done."), nil
	}
	return nil, &protocol.Error{Code: mcpgo.INVALID_PARAMS, Message: "requestState is not one of this server's"}
}

func askWhatIsDeclared(ctx context.Context, r mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
	info := server.RequestProtocolInfoFromContext(ctx)
	if len(r.Params.InputResponses) > 0 || info == nil || info.ClientCapabilities == nil {
		return mcpgo.NewToolResultText("Nothing to ask."), nil
	}
	builder := server.NewInputRequestBuilder("")
	if info.ClientCapabilities.Elicitation != nil {
		builder.Elicit("user_name", form("What is your name?", object(map[string]any{"name": text()}, "name")))
	}
	if info.ClientCapabilities.Sampling != nil {
		builder.Sample("greeting", sample("Generate a greeting", 50))
	}
	if info.ClientCapabilities.Roots != nil {
		builder.Roots("client_roots")
	}
	result := builder.ToolResult()
	if len(result.InputRequests) == 0 {
		return mcpgo.NewToolResultText("Nothing can be asked."), nil
	}
	return result, nil
}
