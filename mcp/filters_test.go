package mcp

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/growpanel/growpanel-mcp/mcp/internal/answer"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// A filter value that can match nothing is answered as such, and the answer says
// what would match: figures of 0 look like a business without revenue.
func TestCall_FiltersAreUnderstoodOrDoubted(t *testing.T) {
	t.Parallel()
	tests := []struct{ arguments, sent, doubt string }{
		{arguments: `{"region":"North America"}`, sent: "region=north_america"},
		{arguments: `{"region":["north-america","Latin America"]}`, sent: "region=north_america+latam"},
		{arguments: `{"region":"europe US"}`, sent: "region=europe+us"},
		{arguments: `{"region":"~dach~~*"}`, sent: "region=~dach+%2A"},
		{arguments: `{"region":"~"}`, sent: "region=~"},
		{arguments: `{"region":"the north"}`, sent: "region=the+north", doubt: `region: "the north" is neither an ISO 3166 code of two letters nor one of: africa`},
		{arguments: `{"country":"US, ~DE"}`, sent: "country=us~~~de"},
		{arguments: `{"country":"us~~~de"}`, sent: "country=us~~~de"},
		{arguments: `{"country":"uk"}`, sent: "country=gb"},
		{arguments: `{"country":"Germany"}`, sent: "country=Germany", doubt: `country: "Germany" is not an ISO 3166 code of two letters such as us`},
		{arguments: `{"country":"us~~USA"}`, sent: "country=us~~USA", doubt: `country: "USA" is not an ISO 3166 code`},
		{arguments: `{"currency":"EUR"}`, sent: "currency=eur"},
		{arguments: `{"currency":"dollars"}`, sent: "currency=dollars", doubt: `currency: "dollars" is not an ISO 4217 code such as usd`},
		{arguments: `{"market":"North America"}`, sent: "market=north_america"},
		{arguments: `{"market":"smb"}`, sent: "market=smb", doubt: `market: "smb" is not valid`},
		{arguments: `{"status":["Churned","past due"]}`, sent: "status=canceled~~past_due"},
		{arguments: `{"status":"activ"}`, sent: "status=activ", doubt: `status: "activ" is not valid, did you mean "active"?`},
		{arguments: `{"billing_freq":"Annual"}`, sent: "billing_freq=year"},
		{arguments: `{"billing_freq":"fortnight"}`, sent: "billing_freq=fortnight", doubt: `billing_freq: "fortnight" is not valid`},
	}
	for _, tt := range tests {
		api := &stubAPI{}
		result := callTool(t, newServer(t, api, false), "get_report", `{"name":"summary",`+tt.arguments[1:])
		text := textOf(t, result)
		if len(api.asked) != 1 || !strings.HasSuffix(api.asked[0], "?"+tt.sent) {
			t.Errorf("%s: asked %v, says %s, want %s", tt.arguments, api.asked, text, tt.sent)
		}
		if !strings.Contains(text, tt.doubt) || strings.Contains(text, "matches nothing") != (tt.doubt != "") {
			t.Errorf("%s: says %s, want %q", tt.arguments, text, tt.doubt)
		}
	}
}

// A filter on subscriptions changes what counts as churn and as new, which the
// answer says; one on customers does not.
func TestCall_SaysWhenAFilterSelectsSubscriptions(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		`{"name":"mrr","plan":"pro","currency":"usd"}`:    "Filtered by subscription (plan, currency): who moves",
		`{"name":"retention","billing_freq":"year"}`:      "Filtered by subscription (billing_freq): who moves",
		`{"name":"movement-table","has_discount":true}`:   "Filtered by subscription (has_discount): who moves",
		`{"name":"mrr","country":"us","status":"active"}`: "",
		`{"name":"summary","plan":"pro"}`:                 "",
		`{"name":"transactions","plan":"pro"}`:            "",
		`{"name":"mrr","breakdown":"plan"}`:               "",
	} {
		text := textOf(t, callTool(t, newServer(t, &stubAPI{}, false), "get_report", arguments))
		if !strings.Contains(text, want) || strings.Contains(text, "Filtered by subscription") != (want != "") {
			t.Errorf("%s: says %s, want %q", arguments, text, want)
		}
	}
}

// What an answer says of values leaves room for its rows, also in the smallest
// and of values that take the most room.
func TestCall_DoubtsLeaveRoomForRows(t *testing.T) {
	t.Parallel()
	s := newServer(t, replying(200, "text/csv; charset=utf-8", "id\ncus_1\n"), false)
	for _, p := range filters() {
		if vocabulary(p.Name) == nil {
			continue
		}
		for _, letter := range []string{"x", "\U000e0041"} {
			values := strings.Repeat(strings.Repeat(letter, 60)+"~~", 9) + "~"
			text := textOf(t, callTool(t, s, "export_csv", fmt.Sprintf(`{"type":"customers","max_tokens":%d,%q:"%s"}`, answer.MinTokens, p.Name, values)))
			if !strings.Contains(text, "It matches nothing") || !strings.Contains(text, "cus_1") || len(text) > 2*answer.MinTokens {
				t.Errorf("%s of %q: %d bytes: %s", p.Name, letter, len(text), text)
			}
		}
	}
}

// The tool may say that a value matches nothing only where the contract says so.
func TestVocabulary_IsThatOfTheContract(t *testing.T) {
	t.Parallel()
	var contract struct {
		Components struct {
			Parameters map[string]struct{ Description string }
		}
	}
	if err := json.Unmarshal(openapi.JSON(), &contract); err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile("`([a-z_]+)`")
	for filter, parameter := range map[string]string{"region": "RegionFilter", "market": "MarketFilter", "status": "StatusFilter"} {
		var want []string
		for _, match := range word.FindAllStringSubmatch(contract.Components.Parameters[parameter].Description, -1) {
			want = append(want, match[1])
		}
		_, err := vocabulary(filter)("no such value")
		_, list, _ := strings.Cut(err.Error(), "one of: ")
		if diff := cmp.Diff(want, strings.Split(list, ", ")); diff != "" || len(want) < 2 {
			t.Errorf("%s (-contract +tool):\n%s", filter, diff)
		}
		for _, value := range want {
			if got, err := vocabulary(filter)(value); got != value || err != nil {
				t.Errorf("%s: %q becomes %q, %v", filter, value, got, err)
			}
		}
	}
}

func TestCall_TypesInOtherWords(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		`{"name":"movement-table","selected_type":"Churned"}`:  "selected-type=churn",
		`{"name":"movement-table","selected_type":"upgrade"}`:  "selected-type=expansion",
		`{"name":"mrr-subtypes","type":"Downgrades"}`:          "type=contraction",
		`{"name":"transactions-detail","selected_type":"FEE"}`: "selected-type=fee",
	} {
		api := &stubAPI{}
		result := callTool(t, newServer(t, api, false), "get_report", arguments)
		if len(api.asked) != 1 || !strings.Contains(api.asked[0], want) {
			t.Errorf("%s: asked %v, says %s, want %s", arguments, api.asked, textOf(t, result), want)
		}
	}
}
