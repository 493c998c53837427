package mcp

import (
	"context"
	"encoding/binary"
	"encoding/json"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// confirmQuestion is the key of the one question that confirm asks.
const confirmQuestion = "confirm"

// confirm makes sure that a person wants the irreversible action that request
// asks for. It returns nil if the action is to be carried out, and otherwise
// the result that the tool has to return.
//
// A client that can put a question to its user is asked question, whatever the
// arguments say: models confirm all too easily. Any other client, which
// includes every handshake-era client over HTTP, has to set the argument named
// argument, whose value is explicit.
func (s *Server) confirm(ctx context.Context, request mcpgo.CallToolRequest, question, argument string, explicit bool) *mcpgo.CallToolResult {
	if !canAsk(ctx) {
		if explicit {
			return nil
		}
		return mcpgo.NewToolResultError(question + " This cannot be undone. If the user has agreed to exactly this, repeat the call with " +
			argument + ": true.")
	}
	subject := confirmSubject(ctx, request)
	answer := server.ElicitationResponse(request.Params.InputResponses, confirmQuestion)
	switch {
	case answer == nil:
		return server.NewInputRequestBuilder(s.sealer.Seal(subject)).
			Elicit(confirmQuestion, confirmForm(question)).
			ToolResult()
	case !s.sealer.Valid(request.Params.RequestState, subject):
		return mcpgo.NewToolResultError("The confirmation is too old or belongs to another call. Nothing was changed; repeat the call to ask again.")
	case answer.Action != mcpgo.ElicitationResponseActionAccept || !agreed(answer.Content):
		return mcpgo.NewToolResultError("The user did not confirm. Nothing was changed.")
	}
	return nil
}

// canAsk reports whether the client of ctx said that it can put a form to its
// user. Only what the request itself, or the connection it came on, declared
// counts.
func canAsk(ctx context.Context) bool {
	if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.Modern {
		return info.ClientCapabilities != nil && asksForms(info.ClientCapabilities.Elicitation)
	}
	session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo)
	return ok && asksForms(session.GetClientCapabilities().Elicitation)
}

// asksForms reports whether an elicitation capability covers forms; an empty
// one does, from the time when there was nothing else.
func asksForms(c *mcpgo.ElicitationCapability) bool {
	return c != nil && (c.Form != nil || c.URL == nil)
}

func confirmForm(question string) mcpgo.ElicitationParams {
	return mcpgo.ElicitationParams{
		Mode:    mcpgo.ElicitationModeForm,
		Message: question + " This cannot be undone.",
		RequestedSchema: map[string]any{
			"type": "object",
			"properties": map[string]any{
				"confirm": map[string]any{
					"type":        "boolean",
					"title":       "Yes, do it",
					"description": "True carries the action out, false leaves everything as it is.",
				},
			},
			"required": []string{"confirm"},
		},
	}
}

func agreed(content any) bool {
	fields, ok := content.(map[string]any)
	return ok && fields["confirm"] == true
}

// confirmSubject names what is confirmed: who calls which tool with which
// arguments. Encoding the decoded arguments orders their keys, which a client
// may write differently the second time.
func confirmSubject(ctx context.Context, request mcpgo.CallToolRequest) []byte {
	arguments, err := json.Marshal(request.Params.Arguments)
	if err != nil {
		arguments = request.Params.RawArguments
	}
	var subject []byte
	for _, part := range [][]byte{[]byte(callerFrom(ctx).ID), []byte(request.Params.Name), arguments} {
		subject = binary.BigEndian.AppendUint64(subject, uint64(len(part)))
		subject = append(subject, part...)
	}
	return subject
}
