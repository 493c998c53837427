package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
)

// file reads an export: its head and its rows by column.
func (a *api) file(t *testing.T, target string) (head []string, rows []map[string]string) {
	t.Helper()
	got := a.ok(t, a.admin, "GET", target, "")
	records, err := csv.NewReader(strings.NewReader(string(got.raw))).ReadAll()
	if err != nil {
		t.Fatalf("%s is not CSV: %v\n%s", target, err, got.raw)
	}
	head = records[0]
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, cell := range record {
			row[head[i]] = cell
		}
		rows = append(rows, row)
	}
	return head, rows
}

// fieldsOf is a row of a report.
func fieldsOf(row any) map[string]any {
	fields, _ := row.(map[string]any)
	return fields
}

// cellOf is how an export writes a value of a report.
func cellOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatInt(int64(v), 10)
	default:
		return fmt.Sprint(v)
	}
}

// addEuro adds a customer who pays in euros, and rates of the euro that change.
func (a *api) addEuro(t *testing.T) {
	t.Helper()
	source := a.ok(t, a.admin, "GET", "/data/data-sources", "").text("result", 0, "id")
	for _, push := range [][2]string{
		{"plans", `{"id":"euro","name":"Euro","interval":"month","interval_count":1,"currency":"EUR"}`},
		{"customers", `{"id":"euro-1","name":"Eva","created":"2026-01-01","country":"DK"}`},
		{"invoices", `[{"id":"e1","customer_id":"euro-1","type":"subscription","invoice_date":"2026-03-03","amount":1001,"currency":"eur","plan_id":"euro"}]`},
	} {
		a.ok(t, a.admin, "POST", "/data-sources/"+source+"/"+push[0], push[1])
	}
	var rates []fx.Rate
	for d := calendar.Date(2025, 12, 1); d <= calendar.Date(2026, 6, 15); d++ {
		for quote, value := range map[string]int{"usd": 11000, "jpy": 1600000} {
			rates = append(rates, fx.Rate{Day: d, Base: "eur", Quote: quote, Value: fmt.Sprintf("%d.%04d", value/10000, int(d)%7)})
		}
	}
	if err := a.rates.ImportRates(t.Context(), rates); err != nil {
		t.Fatal(err)
	}
}

// exportQueries are filters under which an export must say what its report does.
var exportQueries = []string{
	"", "date=20260501-20260531", "date=20260501-20260531&interval=quarter", "country=dk", "country=~dk", "plan=Acme-pro", "status=active",
	"baseCurrency=eur", "date=20250101-20251231", "customer=Acme-1", "committed=true", "selected-type=new", "currency=jpy",
}

func TestExports_MovementsAreTheMovementTable(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Acme")
	a.addEuro(t)
	for _, query := range exportQueries {
		_, rows := a.file(t, "/exports/mrr-movements.csv?"+query)
		list := a.ok(t, a.admin, "GET", "/reports/movement-table?"+query, "").list("result", "list")
		if len(rows) != len(list) {
			t.Errorf("%q: %d rows, the report has %d", query, len(rows), len(list))
			continue
		}
		key := func(m map[string]string) string {
			var b strings.Builder
			for _, name := range slices.Sorted(maps.Keys(m)) {
				b.WriteString(name + "=" + m[name] + ";")
			}
			return b.String()
		}
		var got, want []string
		for i, row := range rows {
			if i > 0 && row["date"] < rows[i-1]["date"] {
				t.Errorf("%q: %s comes after %s", query, row["date"], rows[i-1]["date"])
			}
			delete(row, "base_currency")
			got = append(got, key(row))
			member := map[string]string{}
			for name := range row {
				member[name] = cellOf(fieldsOf(list[i])[name])
			}
			want = append(want, key(member))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q:\n%s\nthe report has:\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestExports_CustomersAreTheCustomerList(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Acme")
	a.addEuro(t)
	for _, query := range exportQueries {
		_, rows := a.file(t, "/exports/customers.csv?"+query)
		list := a.ok(t, a.admin, "GET", "/customers?limit=500&"+query, "").list("result", "list")
		if len(rows) != len(list) {
			t.Fatalf("%q: %d rows, the list has %d", query, len(rows), len(list))
		}
		for i, row := range rows {
			want := fieldsOf(list[i])
			for _, same := range []string{"id", "name", "email", "status", "country", "currency", "created_date", "paid_started", "payments", "total_paid_customer_currency", "total_paid_base_currency", "data_source"} {
				if row[same] != cellOf(want[same]) {
					t.Errorf("%q: %s: %s is %q, in the list %v", query, row["id"], same, row[same], want[same])
				}
			}
			if row["mrr_base_currency"] != cellOf(want["current_mrr"]) {
				t.Errorf("%q: %s: mrr_base_currency is %s, in the list %v", query, row["id"], row["mrr_base_currency"], want["current_mrr"])
			}
		}
	}
}

func TestExports_CustomersHaveTheirVariablesAndPlan(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Acme")
	_, rows := a.file(t, "/exports/customers.csv")
	first, third := rows[0], rows[2]
	if first["custom_tier"] != "Acme gold" || first["plan"] != "Acme Pro" || first["billing_freq"] != "month" || first["mrr"] != "19900" {
		t.Errorf("a customer on the plan Pro: %v", first)
	}
	if third["custom_tier"] != "" || third["plan"] != "" || third["billing_freq"] != "" || third["mrr"] != "0" || third["currency"] != "" {
		t.Errorf("a customer who pays nothing: %v", third)
	}
	_, rows = a.file(t, "/exports/customers.csv?date=20260201-20260331")
	if len(rows) != 2 || rows[0]["id"] != "Acme-2" || rows[1]["id"] != "Acme-3" {
		t.Errorf("created in February and March: %v", rows)
	}
}

func TestExports_GrowthEndsAtTheNetOfTheMonth(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Acme")
	a.addEuro(t)
	for _, query := range []string{"date=20260101-20260630", "date=20260110-20260630", "date=20260101-20260630&country=dk"} {
		_, rows := a.file(t, "/exports/mrr-growth.csv?"+query)
		last := map[string]string{}
		for _, row := range rows {
			last[row["month"]] = row["cumulative_mrr"]
		}
		for _, row := range a.ok(t, a.admin, "GET", "/reports/mrr?interval=month&"+query, "").list("result") {
			row := fieldsOf(row)
			month := fmt.Sprint(row["date"])[:7]
			got, ok := last[month]
			if month == "2026-01" && strings.Contains(query, "0110") {
				if ok {
					t.Errorf("%q: the month that the range cuts is there", query)
				}
				continue
			}
			// No rates move here, so that the net difference is the sum of the movements.
			if want := cellOf(row["net_mrr_diff"]); got != want {
				t.Errorf("%q: %s ends at %s, the MRR report has %s", query, month, got, want)
			}
		}
		if rows[len(rows)-1]["month"] != "2026-06" || rows[len(rows)-1]["day"] != "15" {
			t.Errorf("%q: the last day is %v, not today", query, rows[len(rows)-1])
		}
	}
}

func TestExports_LimitAndOffset(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Acme")
	for _, name := range []string{"customers", "mrr-movements", "mrr-growth"} {
		head, all := a.file(t, "/exports/"+name+".csv")
		for offset := range len(all) + 2 {
			got := a.ok(t, a.admin, "GET", fmt.Sprintf("/exports/%s.csv?limit=2&offset=%d", name, offset), "")
			if count := got.header.Get("X-GrowPanel-Count"); count != strconv.Itoa(len(all)) {
				t.Errorf("%s: X-GrowPanel-Count is %s of %d", name, count, len(all))
			}
			partHead, part := a.file(t, fmt.Sprintf("/exports/%s.csv?limit=2&offset=%d", name, offset))
			want := all[min(offset, len(all)):min(offset+2, len(all))]
			if !slices.Equal(head, partHead) || !slices.EqualFunc(part, want, maps.Equal) {
				t.Errorf("%s from %d: %v, want %v", name, offset, part, want)
			}
		}
	}
}

func TestExports_TextIsNoFormula(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.found(t, a.admin, "Acme")
	names := []string{"=1+1", "+1", "-1", "@x", "\tx", `quo"te`, "com,ma", "line\nend", " space", "plain=1"}
	for i, name := range names {
		a.ok(t, a.admin, "POST", "/data/customers", fmt.Sprintf(`{"id":"x%d","data_source":%q,"name":%q,"created":"2026-01-01"}`, i, c.source, name))
	}
	for raw, mark := range map[string]string{"": "'", "true": "", "false": "'"} {
		_, rows := a.file(t, "/exports/customers.csv?search=x&raw_text="+raw)
		byID := map[string]string{}
		for _, row := range rows {
			byID[row["id"]] = row["name"]
		}
		for i, name := range names {
			want := name
			if strings.ContainsAny(name[:1], "=+-@\t") {
				want = mark + name
			}
			if got := byID[fmt.Sprintf("x%d", i)]; got != want {
				t.Errorf("raw_text=%q: the name %q is written %q, want %q", raw, name, got, want)
			}
		}
	}
}

func TestExports_SayWhatIsWrong(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.found(t, a.admin, "Acme")
	for target, field := range map[string]string{
		"/exports/customers.csv?raw_text=maybe":       "raw_text",
		"/exports/customers.csv?date=someday":         "date",
		"/exports/mrr-movements.csv?limit=0":          "limit",
		"/exports/mrr-movements.csv?selected-type=up": "selected-type",
		"/exports/mrr-growth.csv?category=up":         "types",
	} {
		got := a.do(t, a.admin, "GET", target, "")
		if got.status != 400 || got.text("details", 0, "field") != field {
			t.Errorf("%s: %d %s", target, got.status, got.raw)
		}
	}
	a.addEuro(t)
	for _, name := range []string{"customers", "mrr-movements", "mrr-growth"} {
		got := a.do(t, a.admin, "GET", "/exports/"+name+".csv?baseCurrency=dkk", "")
		if got.status != 409 || got.text("code") != "fx_rate_missing" {
			t.Errorf("%s without a rate: %d %s", name, got.status, got.raw)
		}
	}
	if got := a.do(t, a.admin, "GET", "/exports/"+url.PathEscape("plans.csv"), ""); got.status != 404 {
		t.Errorf("an export that does not exist: %d %s", got.status, got.raw)
	}
}

// pushMoving pushes customers, each with monthly invoices of different amounts.
func (a *api) pushMoving(t *testing.T, customers, months int) {
	t.Helper()
	source := a.newSource(t, "Moving")
	plans := `[{"id":"one","name":"One","interval":"month","interval_count":1,"currency":"usd"},{"id":"two","name":"Two","interval":"month","interval_count":1,"currency":"usd"}]`
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/plans", plans)
	people, invoices := []byte{'['}, []byte{'['}
	for c := range customers {
		people = fmt.Appendf(people, `{"id":"m%d","name":"Mover, %d","email":"m%d@example.com","created":"2020-01-01"},`, c, c, c)
		for m := range months {
			invoices = fmt.Appendf(invoices, `{"id":"m%d-%d","customer_id":"m%d","type":"subscription","invoice_date":"%s","amount":%d,"currency":"usd","plan_id":%q,"quantity":%d},`,
				c, m, c, calendar.Date(2020, time.Month(1+m), 1+c%28), 1000+m%2*100, []string{"one", "two"}[m/2%2], 1+m%3)
		}
	}
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/customers?echo=errors", string(closeList(people)))
	a.ok(t, a.admin, "POST", "/data-sources/"+source+"/invoices?echo=errors", string(closeList(invoices)))
}

// A file takes what its preparation takes, and nothing per row.
func TestExports_TakeNoMemoryPerRow(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts those of all goroutines
	a := newAPI(t)
	a.pushMoving(t, 1000, 3)
	for _, name := range []string{"mrr-movements.csv?date=all", "customers.csv?date=all"} {
		var rows int
		allocs := func(limit string) float64 {
			return testing.AllocsPerRun(3, func() {
				r := httptest.NewRequest(http.MethodGet, "/exports/"+name+limit, nil)
				r.Header.Set("Authorization", "Bearer "+a.admin)
				w := &discard{header: http.Header{}, status: http.StatusOK}
				a.server.ServeHTTP(w, r)
				rows, _ = strconv.Atoi(w.header.Get("X-GrowPanel-Count"))
				if w.status != http.StatusOK {
					t.Fatal(w.status)
				}
			})
		}
		one, all := allocs("&limit=1"), allocs("")
		if rows < 1000 || all > one+float64(rows)/10 {
			t.Errorf("%s: one row takes %g allocations, %d take %g", name, one, rows, all)
		}
	}
}
