package mcp

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCall_CSV(t *testing.T) {
	t.Parallel()
	csv := "id,name\r\n1,\"A\r\nB\"\r\n2,C\r\n3,D\r\n"
	result := callTool(t, newServer(t, replying(200, "text/csv; charset=utf-8", csv), false), "export_csv", `{"type":"customers","offset":1}`)
	want := "export_csv customers\nAmounts are in minor units, unlike those of other tools: 9900 is 99.00 in usd or eur, 9900 in jpy.\n2 of 3 rows, from offset 1.\nid,name\r\n2,C\r\n3,D\r\n"
	if diff := cmp.Diff(want, textOf(t, result)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	long := "id\n" + strings.Repeat("123456789\n", 5000)
	result = callTool(t, newServer(t, replying(200, "text/csv", long), false), "export_csv", `{"type":"customers"}`)
	raw, ok := result.StructuredContent.(json.RawMessage)
	if !ok || !strings.HasPrefix(string(raw), `{"returned":644,"total":5000,"complete":false,"next":644,"csv":"id\n`) {
		t.Errorf("a long file begins %.100s", raw)
	}
	checkSchema(t, "export_csv", raw)
}

// Only a client whose protocol has links gets one, to the whole of the file.
func TestCall_CSVLink(t *testing.T) {
	t.Parallel()
	api := &stubAPI{answer: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("X-GrowPanel-Count", "1000")
		_, _ = io.WriteString(w, "id\n"+r.URL.Query().Get("offset")+"\n")
	}}
	s := newServer(t, api, false)
	const arguments = `{"type":"movements","country":"de","date":"2026-01","offset":700}`
	for version, link := range map[string]string{
		"2025-03-26": "",
		"2025-06-18": "growpanel://exports/mrr-movements.csv?country=de&date=20260101-20260131",
	} {
		answer := post(t, s, version, "tools/call", `{"name":"export_csv","arguments":`+arguments+`}`)
		content, _ := answer["content"].([]any)
		if len(content) == 0 {
			t.Fatalf("%s: %v", version, answer)
		}
		text, _ := content[0].(map[string]any)["text"].(string)
		if !strings.Contains(text, "1 of 1000 rows, from offset 700. Next: offset=701.\nid\n700") {
			t.Errorf("%s: %s", version, text)
		}
		got := ""
		if len(content) > 1 {
			got, _ = content[1].(map[string]any)["uri"].(string)
		}
		if got != link {
			t.Errorf("%s: the link is %q, want %q", version, got, link)
		}
	}
}

// A file without rows may be the answer to a slip.
func TestCall_CSVSaysWhatMatchesNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t, replying(200, "text/csv; charset=utf-8", "id\n"), false)
	for country, said := range map[string]bool{"de": false, "xyz": true} {
		answer := post(t, s, "2025-06-18", "tools/call", fmt.Sprintf(`{"name":"export_csv","arguments":{"type":"customers","country":%q}}`, country))
		content, _ := answer["content"].([]any)
		if len(content) == 0 {
			t.Fatalf("%s: %v", country, answer)
		}
		if text := memberOf(content[0], "text"); strings.Contains(text, "It matches nothing") != said {
			t.Errorf("%s: %s", country, text)
		}
	}
}

// memberOf is a text in an object.
func memberOf(object any, name string) string {
	members, _ := object.(map[string]any)
	text, _ := members[name].(string)
	return text
}

func TestResources_ReadAnExport(t *testing.T) {
	t.Parallel()
	api := &stubAPI{answer: func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/exports/customers.csv" && r.URL.RawQuery == "country=de":
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			_, _ = io.WriteString(w, "id\n1\n")
		case r.URL.Path == "/exports/mrr-movements.csv":
			_, _ = io.WriteString(w, strings.Repeat("x", 17<<20))
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":"there is no endpoint"}`)
		}
	}}
	s := newServer(t, api, false)
	read := func(uri string) map[string]any {
		return post(t, s, "2025-06-18", "resources/read", fmt.Sprintf(`{"uri":%q}`, uri))
	}
	contents, _ := read("growpanel://exports/customers.csv?country=de")["contents"].([]any)
	if len(contents) != 1 || memberOf(contents[0], "text") != "id\n1\n" || memberOf(contents[0], "mimeType") != "text/csv" {
		t.Errorf("the file reads %v", contents)
	}
	for uri, want := range map[string]string{
		"growpanel://exports/mrr-movements.csv":  "larger than 16 MiB",
		"growpanel://exports/plans.csv":          "there is no endpoint",
		"growpanel://exports/../account":         "there is no endpoint",
		"growpanel://exports/customers.csv?a=%3": "not found",
		"growpanel://exports/customers.csv?a;b":  "the query cannot be read",
		"growpanel://exports/customers.csv/more": "there is no endpoint",
		"growpanel://other/customers.csv":        "not found",
	} {
		failure, _ := read(uri)["error"].(map[string]any)
		if message, _ := failure["message"].(string); !strings.Contains(message, want) {
			t.Errorf("%s: %v, want %q", uri, failure, want)
		}
	}
}
