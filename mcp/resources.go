package mcp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"github.com/growpanel/growpanel-mcp/apiclient"
	"github.com/growpanel/growpanel-mcp/docs/metrics"
	"github.com/growpanel/growpanel-mcp/mcp/internal/protocol"
)

const (
	metricScheme = "growpanel://metrics/"
	exportScheme = "growpanel://exports/"
	// largestFile bounds what a client reads in one answer.
	largestFile = 16 << 20
)

// definitions returns the resources that say what each report means.
func definitions() []server.ServerResource {
	var list []server.ServerResource
	for _, d := range metrics.Definitions() {
		uri := metricScheme + d.Name
		list = append(list, server.ServerResource{
			Resource: mcpgo.NewResource(uri, d.Name, mcpgo.WithResourceTitle("Definition of "+d.Name),
				mcpgo.WithResourceDescription(d.Summary), mcpgo.WithMIMEType("text/markdown")),
			Handler: func(context.Context, mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error) {
				return []mcpgo.ResourceContents{mcpgo.TextResourceContents{URI: uri, MIMEType: "text/markdown", Text: d.Text}}, nil
			},
		})
	}
	return list
}

// templates returns the resources that take parameters: the files that
// export_csv links to.
func (s *Server) templates() []server.ServerResourceTemplate {
	return []server.ServerResourceTemplate{{
		Template: mcpgo.NewResourceTemplate(exportScheme+"{+file}", "export",
			mcpgo.WithTemplateTitle("CSV export"),
			mcpgo.WithTemplateDescription("customers.csv, mrr-movements.csv or mrr-growth.csv with the query of the API, such as mrr-movements.csv?date=20260101-20260331&country=de. Amounts are in minor units."),
			mcpgo.WithTemplateMIMEType("text/csv")),
		Handler: s.readExport,
	}}
}

// readExport reads a whole export.
func (s *Server) readExport(ctx context.Context, request mcpgo.ReadResourceRequest) ([]mcpgo.ResourceContents, error) {
	uri := request.Params.URI
	file, rawQuery, _ := strings.Cut(strings.TrimPrefix(uri, exportScheme), "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, unreadable(uri, "the query cannot be read")
	}
	client, err := s.client(ctx)
	if err != nil {
		return nil, err
	}
	var content strings.Builder
	_, err = client.Stream(ctx, []string{"exports", file}, query, &bounded{&content, largestFile})
	if failure, ok := errors.AsType[*apiclient.Error](err); ok {
		return nil, unreadable(uri, failure.Message)
	}
	if errors.Is(err, errFileTooLarge) {
		return nil, unreadable(uri, errFileTooLarge.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", uri, err)
	}
	return []mcpgo.ResourceContents{mcpgo.TextResourceContents{URI: uri, MIMEType: "text/csv", Text: content.String()}}, nil
}

// unreadable says why a resource cannot be read.
func unreadable(uri, why string) error {
	return &protocol.Error{Code: mcpgo.INVALID_PARAMS, Message: why, Data: map[string]string{"uri": uri}}
}

var errFileTooLarge = errors.New("the file is larger than 16 MiB: add a date or filters, or use `growpanel exports`")

// bounded writes no more than so many bytes.
type bounded struct {
	to   *strings.Builder
	room int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.room -= len(p); b.room < 0 {
		return 0, errFileTooLarge
	}
	return b.to.Write(p)
}
