package httpapi_test

import "fmt"

// subtypes compares the subtypes of movements, where they are clear.
func (o *oracled) subtypes(q question) (string, string) {
	if q.View.Item != nil {
		return "", "" // within a view what leaves it may keep its value
	}
	want := o.company.Subtypes(q.Query)
	for _, item := range o.get("/reports/movement-table", q, "interval", "").list("result", "list") {
		row, _ := item.(map[string]any)
		key := fmt.Sprint(row["date"], " ", row["customer_id"])
		if w, sure := want[key]; sure && row["subtype"] != w {
			return "subtypes of movements", fmt.Sprintf("%s: oracle %s, API %v", key, w, row["subtype"])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		return "subtypes of movements", fmt.Sprintf("the API lacks %v", want)
	}
	return "", ""
}
