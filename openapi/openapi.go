// Package openapi is the contract of the REST API: the document that is
// published, the list of its operations, and what each number in their answers
// means. All of it is generated from growpanel.yaml.
package openapi

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
)

//go:generate go -C ../tools run ./contractgen document ../openapi

//go:embed growpanel.gen.json
var document []byte

// JSON returns the contract as an OpenAPI 3.1 document, as GET /openapi.json
// serves it. The caller owns the bytes.
func JSON() []byte { return bytes.Clone(document) }

// Operation is one method of one path.
type Operation struct {
	// ID is the operationId, such as GetReportsMrr.
	ID string
	// Method is the HTTP method in upper case.
	Method string
	// Path is the path with parameters in braces, such as /customers/{id}, and
	// without a version prefix.
	Path string
	// Status is the HTTP status of success, or 501 for an operation that exists for
	// older clients and is never carried out.
	Status int
	// Public says that no API key is needed.
	Public bool

	body  Schema
	query []string
}

// Query returns the names of the parameters that the operation takes in the query,
// in the order of the contract. Reports and lists take more filters than it can
// name: industry, channel, size and custom_<key>.
func (o *Operation) Query() []string { return slices.Clone(o.query) }

// Body returns what is known about the JSON body of a successful answer.
func (o *Operation) Body() *Schema { return &o.body }

// Operations returns every operation of the contract, ordered by path and method.
func Operations() []Operation { return slices.Clone(operations) }

// Find returns the operation that answers a method and an escaped path, such as
// /v1/customers/cus_1, or nil when the contract has none. It does not allocate.
func Find(method, path string) *Operation {
	path = strings.TrimSuffix(trimVersion(path), "/")
	for i := range operations {
		if operations[i].Method == method && matches(operations[i].Path, path) {
			return &operations[i]
		}
	}
	return nil
}

// LacksParameter reports whether a path is that of an operation but for one
// parameter: /webhooks/deliveries is what /webhooks/{id}/deliveries becomes when
// the id is empty or a dot segment.
func LacksParameter(method, path string) bool {
	path = strings.TrimSuffix(trimVersion(path), "/")
	for i := range operations {
		if operations[i].Method != method {
			continue
		}
		segments := strings.Split(operations[i].Path, "/")
		for j, segment := range segments[:len(segments)-1] {
			if isParameter(segment) && matches(strings.Join(slices.Delete(slices.Clone(segments), j, j+1), "/"), path) {
				return true
			}
		}
	}
	return false
}

// trimVersion removes the version prefix, which the contract does not mention.
func trimVersion(path string) string {
	for _, prefix := range [...]string{"/v1/", "/v2/"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return path[len(path)-len(rest)-1:]
		}
	}
	return path
}

// matches compares a path with a template segment by segment; a parameter
// stands for one segment that is not empty.
func matches(template, path string) bool {
	for {
		want, moreWant, wantOK := strings.Cut(template, "/")
		got, moreGot, gotOK := strings.Cut(path, "/")
		if isParameter(want) {
			if got == "" {
				return false
			}
		} else if want != got {
			return false
		}
		if !wantOK || !gotOK {
			return wantOK == gotOK
		}
		template, path = moreWant, moreGot
	}
}

func isParameter(segment string) bool { return strings.HasPrefix(segment, "{") }
