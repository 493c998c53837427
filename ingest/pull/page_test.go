package pull

import (
	"encoding/json"
	"testing"

	"github.com/growpanel/growpanel-mcp/ingest"
)

func TestReadPage_TheSameRowsGiveTheSameDigest(t *testing.T) {
	t.Parallel()
	digest := func(body string) string {
		t.Helper()
		p, err := readPage("customers", []byte(body), ingest.DecodeCustomers)
		if err != nil {
			t.Fatal(err)
		}
		return p.digest
	}
	same := digest(`{"page":1,"data":[{"id":"a"},{"id":"b"}],"has_more":true}`)
	if again := digest(`{"page":2,"data":[{"id":"a"},{"id":"b"}],"has_more":false}`); again != same {
		t.Error("the same rows on another page have another digest")
	}
	for _, other := range []string{`[]`, `[{"id":"a"}]`, `[{"id":"b"},{"id":"a"}]`, `[{"id":"a"},{"id":"b"},{}]`} {
		if digest(other) == same {
			t.Errorf("%s has the digest of other rows", other)
		}
	}
}

// FuzzPage reads any body as a page: what is taken is JSON, and says about the
// next page what another reader finds in it.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"id":"c","name":"n"}],"has_more":true}`, `[]`, `{"has_more":false,"customers":[]}`, `{"has_more":true,"has_more":null,"data":[]}`,
		`{"data":{},"has_more":true}`, `{"data":[],"data":[]}`, `{"has_more":1,"data":[]}`, `{"data":[[[[]]]]}`, `{"d\u0061ta":[]}`, `[`, `7`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := readPage("customers", body, ingest.DecodeCustomers)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q was taken for a page", body)
		}
		var want struct {
			HasMore bool `json:"has_more"`
		}
		if body := string(body); json.Unmarshal([]byte(body), &[]any{}) != nil {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(body), &fields); err != nil {
				t.Fatal(err)
			}
			if value, ok := fields["has_more"]; ok {
				_ = json.Unmarshal(value, &want.HasMore)
			}
		}
		if p.more != want.HasMore {
			t.Errorf("%q: more is %t, want %t", body, p.more, want.HasMore)
		}
	})
}
