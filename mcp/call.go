package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/mcp/internal/args"
	"github.com/growpanel/growpanel-mcp/mcp/internal/protocol"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// toolCall is one call of a tool on its way to the API.
type toolCall struct {
	tool   *tool
	action *action
	values *args.Values

	method   string
	segments []string
	query    url.Values
	body     json.RawMessage
	// ask replaces the question of the action.
	ask string
	// echo are the arguments to show in the answer.
	echo []answer.Pair
}

// handler returns the function that carries out calls of t.
func (s *Server) handler(t *tool) func(context.Context, mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
	set := t.set()
	return func(ctx context.Context, request mcpgo.CallToolRequest) (*mcpgo.CallToolResult, error) {
		c, err := t.prepare(set, rawArguments(request))
		if err != nil {
			return mcpgo.NewToolResultError(err.Error()), nil
		}
		if c.method != http.MethodGet {
			switch callerFrom(ctx).Writes {
			case WritesNotAsked:
				return nil, protocol.ErrInsufficientScope
			case WritesAllowed:
			case WritesDenied:
				return mcpgo.NewToolResultError(readOnlyConnection), nil
			}
		}
		if question := c.question(); question != "" {
			if refusal := s.confirm(ctx, request, question, "confirm", c.values.True("confirm")); refusal != nil {
				return refusal, nil
			}
		}
		return s.run(ctx, c)
	}
}

// readOnlyConnection answers a call that writes over a connection that must not.
const readOnlyConnection = "read_only_connection: the user connected GrowPanel for reading alone, so this call was not carried out. " +
	"To change data, the user can connect again and leave \"read only\" unticked."

// rawArguments returns the arguments of a request as JSON.
func rawArguments(request mcpgo.CallToolRequest) json.RawMessage {
	if len(request.Params.RawArguments) > 0 || request.Params.Arguments == nil {
		return request.Params.RawArguments
	}
	raw, err := json.Marshal(request.Params.Arguments)
	if err != nil {
		return nil
	}
	return raw
}

// prepare checks the arguments of a call and builds its request. Its errors
// are for the model to read.
func (t *tool) prepare(set args.Set, raw json.RawMessage) (*toolCall, error) {
	values, err := set.Parse(t.name, raw)
	if err != nil {
		return nil, err
	}
	c := &toolCall{tool: t, values: values, query: url.Values{}}
	if c.action, err = t.choose(values); err != nil {
		return nil, err
	}
	if err := c.fit(set); err != nil {
		return nil, err
	}
	c.method, c.body = c.action.method, values.JSON("body")
	if t.check != nil {
		if err := t.check(c); err != nil {
			return nil, err
		}
	}
	c.build(set)
	if t.route != nil {
		return c, t.route(c)
	}
	return c, nil
}

// choose returns the action that the arguments ask for.
func (t *tool) choose(values *args.Values) (*action, error) {
	name, resource := values.Get("action"), values.Get("resource")
	var resources []string
	for i := range t.actions {
		a := &t.actions[i]
		if a.name != name || values.Has("method") && a.method != values.Get("method") {
			continue
		}
		if len(a.only) == 0 || slices.Contains(a.only, resource) {
			return a, nil
		}
		resources = append(resources, a.only...)
	}
	return nil, fmt.Errorf("%s has no action %q for %s; it exists for: %s", t.name, name, resource, strings.Join(resources, ", "))
}

// fit refuses arguments that the action would ignore and asks for those that
// it lacks.
func (c *toolCall) fit(set args.Set) error {
	var problems []string
	for _, p := range set {
		if c.values.Has(p.Name) && !c.action.uses(p.Name) {
			problems = append(problems, fmt.Sprintf("%s does not use %q%s", c.label(), p.Name, c.tool.usedBy(p.Name)))
		}
	}
	for _, name := range c.action.required() {
		if p := set.Find(name); p != nil && !c.values.Has(name) {
			problems = append(problems, fmt.Sprintf("%s needs %q: %s", c.label(), name, strings.TrimSuffix(p.Description, ".")))
		}
	}
	if len(problems) > 0 {
		return &args.Error{Problems: problems}
	}
	return nil
}

// required returns the arguments without which the action cannot be done.
func (a action) required() []string {
	names := append(a.placeholders(), a.needs...)
	if a.body == mustBody {
		names = append(names, "body")
	}
	return names
}

// usedBy names the actions that use an argument.
func (t *tool) usedBy(name string) string {
	var users []string
	for _, a := range t.actions {
		if a.name != "" && a.uses(name) && !slices.Contains(users, a.name) {
			users = append(users, a.name)
		}
	}
	if len(users) == 0 {
		return ""
	}
	return "; it is for: " + strings.Join(users, ", ")
}

// label names the call for people.
func (c *toolCall) label() string {
	return strings.TrimSpace(c.tool.name + " " + c.values.Get("action"))
}

// build fills in the path and the query of the action.
func (c *toolCall) build(set args.Set) {
	for segment := range strings.SplitSeq(c.action.path, "/") {
		if name, ok := placeholder(segment); ok {
			segment = strings.Replace(segment, "{"+name+"}", c.values.Get(name), 1)
		}
		c.segments = append(c.segments, segment)
	}
	for _, name := range c.action.query {
		if value := c.values.Get(name); value != "" {
			c.query.Set(wireName(name), wireValue(name, value))
			c.echo = append(c.echo, answer.Pair{Name: name, Value: value})
		}
		if p := set.Find(name); p != nil && p.Type == args.Map {
			c.addMap(name)
		}
	}
}

// addMap sends the entries of the argument "custom" as custom_<key>.
func (c *toolCall) addMap(name string) {
	pairs := c.values.Map(name)
	keys := make([]string, 0, len(pairs))
	for key := range pairs {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		c.query.Set(name+"_"+key, pairs[key])
		c.echo = append(c.echo, answer.Pair{Name: name + "_" + key, Value: pairs[key]})
	}
}

// wireName returns the API's name of an argument.
func wireName(name string) string {
	switch name {
	case "base_currency":
		return "baseCurrency"
	case "compare_month":
		return "compareMonth"
	case "selected_date", "selected_type", "breakdown_value":
		return strings.ReplaceAll(name, "_", "-")
	default:
		return name
	}
}

// wireValue returns a value as the API takes it. Older servers know regions
// only with spaces between them, everything else with ~~.
func wireValue(name, value string) string {
	if name == "region" {
		return strings.ReplaceAll(value, "~~", " ")
	}
	return value
}

// question is what to ask before an irreversible action, empty for others.
func (c *toolCall) question() string {
	question := c.action.irreversible
	if c.ask != "" {
		question = c.ask
	}
	for _, name := range []string{"id", "resource", "user_id", "card_id"} {
		question = strings.ReplaceAll(question, "{"+name+"}", answer.Printable(c.values.Get(name)))
	}
	return question
}

// run makes the request of a call and shapes its answer.
func (s *Server) run(ctx context.Context, c *toolCall) (*mcpgo.CallToolResult, error) {
	client, err := s.client(ctx)
	if err != nil {
		return apiFailure(err)
	}
	response, err := client.Do(ctx, c.method, c.segments, c.query, c.body)
	if s.keyRefused(ctx, err) {
		return mcpgo.NewToolResultError(reconnect), nil
	}
	if err != nil {
		return apiFailure(c.named(err))
	}
	if isText(response) {
		return s.file(ctx, c, response), nil
	}
	options, body := c.options(), bodyOf(response)
	shaped, err := s.shaper.Shape(body, options)
	if err == nil && shaped.NeedsCurrency {
		// Only bodies of servers that do not name the base currency come here.
		if options.Currency = baseCurrency(ctx, client); options.Currency != "" {
			shaped, err = s.shaper.Shape(body, options)
		}
	}
	if err != nil {
		s.cfg.Logger.WarnContext(ctx, "answer of the API is not JSON", "call", c.label(), "error", err)
		return mcpgo.NewToolResultError("the API answered with something that is not JSON; the API's address may be wrong"), nil
	}
	return result(shaped), nil
}

// named gives the parameter that a refusal is about the tool's name for it.
func (c *toolCall) named(err error) error {
	refused, ok := errors.AsType[*apiclient.Error](err)
	if !ok {
		return err
	}
	for _, name := range c.action.query {
		if rest, found := strings.CutPrefix(refused.Message, wireName(name)+":"); found {
			own := *refused
			own.Message = name + ":" + rest
			return &own
		}
	}
	return err
}

// reconnect answers a call over a connection whose API key is gone.
const reconnect = "The connection to GrowPanel has ended: the API key behind it is gone, or its user may no longer use the account. " +
	"Ask the user to connect GrowPanel again."

// keyRefused reports whether err says that the key behind a connection is no
// longer good, and passes that on.
func (s *Server) keyRefused(ctx context.Context, err error) bool {
	caller := callerFrom(ctx)
	refused, ok := errors.AsType[*apiclient.Error](err)
	if !ok || refused.Status != http.StatusUnauthorized || caller.Connection == "" {
		return false
	}
	if s.cfg.KeyRefused != nil {
		s.cfg.KeyRefused(ctx, caller)
	}
	return true
}

// options describes the call to the shaper.
func (c *toolCall) options() answer.Options {
	o := answer.Options{
		Title:    c.title(),
		Query:    c.echo,
		Currency: c.values.Get("base_currency"),
		Schema:   openapi.UnitsFor(c.method, c.escapedPath()),
		Fallback: knownUnit,
		Tokens:   c.values.Int("max_tokens", answer.DefaultTokens),
		Narrow:   "Ask for fewer rows, or raise max_tokens (up to 20000).",
		Notes:    doubts(c.echo),
	}
	if c.tool.options != nil {
		c.tool.options(c, &o)
	}
	return o
}

// title names the answer.
func (c *toolCall) title() string {
	title := strings.TrimPrefix(c.tool.name, "manage_")
	for _, name := range []string{"type", "integration", "resource", "action", "id"} {
		if value := c.values.Get(name); value != "" {
			title += " " + value
		}
	}
	return title
}

func (c *toolCall) escapedPath() string {
	var b strings.Builder
	for _, segment := range c.segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(segment))
	}
	return b.String()
}

// result returns a shaped answer as the result of a tool.
func result(a answer.Answer) *mcpgo.CallToolResult {
	return &mcpgo.CallToolResult{
		Content:              []mcpgo.Content{mcpgo.NewTextContent(a.Text)},
		StructuredContent:    a.Structured,
		RawStructuredContent: a.Structured,
	}
}

// bodyOf returns the JSON of an answer; one without a body says that it was
// done.
func bodyOf(r *apiclient.Response) []byte {
	if r.Status == http.StatusNoContent || len(r.Body) == 0 {
		return []byte(`{"success":true}`)
	}
	return r.Body
}

// isText reports whether an answer is CSV or plain text.
func isText(r *apiclient.Response) bool {
	kind := r.Header.Get("Content-Type")
	return strings.HasPrefix(kind, "text/csv") || strings.HasPrefix(kind, "text/plain")
}

// baseCurrency asks the API for the account's base currency. Without an answer
// the amounts stay as they came and the result says so.
func baseCurrency(ctx context.Context, client *apiclient.Client) string {
	response, err := client.Do(ctx, http.MethodGet, []string{"account"}, nil, nil)
	if err != nil {
		return ""
	}
	var account struct {
		BaseCurrency string `json:"base_currency"`
	}
	if err := json.Unmarshal(response.Body, &account); err != nil {
		return ""
	}
	return account.BaseCurrency
}

// apiFailure turns what the API refused into a result that the model can act
// on, and passes on everything else.
func apiFailure(err error) (*mcpgo.CallToolResult, error) {
	var refused *apiclient.Error
	switch {
	case errors.As(err, &refused):
		return mcpgo.NewToolResultError(failureText(refused)), nil
	case errors.Is(err, apiclient.ErrNoKey), errors.Is(err, apiclient.ErrPath), errors.Is(err, apiclient.ErrResponseTooLarge):
		return mcpgo.NewToolResultError(err.Error()), nil
	case errors.Is(err, context.DeadlineExceeded):
		return mcpgo.NewToolResultError("the API did not answer in time; the call may be repeated"), nil
	case errors.Is(err, context.Canceled):
		return nil, err
	}
	return mcpgo.NewToolResultError("the API cannot be reached: " + err.Error()), nil
}

// failureText says what the API refused and what would help.
func failureText(e *apiclient.Error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "API error %d: %s", e.Status, answer.Printable(strings.TrimSuffix(e.Message, ".")))
	details := e.Details
	if len(details) == 1 && strings.Contains(e.Message, details[0].Message) {
		details = nil // the message says it all
	}
	for i, d := range details {
		if i == maxDetails {
			fmt.Fprintf(&b, "\n... and %d more", len(details)-i)
			break
		}
		b.WriteString("\n- ")
		if d.Index != nil {
			fmt.Fprintf(&b, "row %d ", *d.Index)
		}
		for _, part := range []string{d.ID, d.Field} {
			if part != "" {
				b.WriteString(answer.Printable(part) + ": ")
			}
		}
		b.WriteString(answer.Printable(d.Message))
	}
	text := strings.ToValidUTF8(b.String()[:min(b.Len(), maxFailure)], "")
	if hint := statusHint(e); hint != "" {
		text += "\n" + hint
	}
	return text
}

const (
	// maxDetails is how many faults of a request are listed.
	maxDetails = 20
	// maxFailure is how much of what the API says about a failure is passed on,
	// in bytes.
	maxFailure = 4000
)

func statusHint(e *apiclient.Error) string {
	switch e.Status {
	case http.StatusUnauthorized:
		return "The API key is missing, unknown or revoked. The user can check it, or connect again."
	case http.StatusForbidden:
		return "This key may not do that; an admin key may be needed."
	case http.StatusTooManyRequests:
		if e.RetryAfter > 0 {
			return fmt.Sprintf("The account has used up its requests for now; it may be repeated in %.0f seconds.", e.RetryAfter.Seconds())
		}
		return "The account has used up its requests for now; it may be repeated in a minute."
	}
	return ""
}
