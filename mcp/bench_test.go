package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/growpanel/growpanel-mcp/apiclient"
)

// canned is a transport that always answers with the same body.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(c)), ContentLength: int64(len(c)), Request: r,
	}, nil
}

// BenchmarkCall is a whole tool call without the protocol around it: checking
// the arguments, the client, shaping 36 months of MRR.
func BenchmarkCall(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"currency":"usd","result":[`)
	for m := range 36 {
		fmt.Fprintf(&body, `{"arpa":%[1]d,"asp":%[1]d,"churn":-%[1]d,"churn_customers":7,"contraction":-%[1]d,"date":"2024-%02[2]d-01","expansion":%[1]d,"new":%[1]d,"total_arr":%[1]d,"total_mrr":%[1]d},`, 123456+m, m%12+1)
	}
	body.WriteString(`{}]}`)
	client, err := apiclient.New(apiclient.Options{Key: apiclient.NewSecret("k.s"), Transport: canned(body.Bytes())})
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Config{Now: time.Now, ClientFor: func(context.Context, Caller) (*apiclient.Client, error) { return client, nil }})
	if err != nil {
		b.Fatal(err)
	}
	tool := getReport()
	handle := s.handler(&tool)
	request := mcpgo.CallToolRequest{Params: mcpgo.CallToolParams{
		Name: "get_report", RawArguments: json.RawMessage(`{"name":"mrr","date":"last-36-months","interval":"month"}`),
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := handle(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}
