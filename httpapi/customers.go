package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/growpanel/growpanel-mcp/analytics"
	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/money"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// GetCustomers implements wire.StrictServerInterface.
func (s *Server) GetCustomers(ctx context.Context, _ wire.GetCustomersRequestObject) (wire.GetCustomersResponseObject, error) {
	return s.answer(ctx, "customers", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.CustomerList(snapshot, q)
		if err != nil {
			return nil, err
		}
		page := wire.CustomerPage{
			Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.Customer, 0, len(r.List)),
		}
		for i := range r.List {
			page.List = append(page.List, customerToWire(&r.List[i]))
		}
		return &wire.CustomerList{Currency: q.Base.Code(), Result: page}, nil
	})
}

// GetCustomersId implements wire.StrictServerInterface.
func (s *Server) GetCustomersId(ctx context.Context, request wire.GetCustomersIdRequestObject) (wire.GetCustomersIdResponseObject, error) {
	source := sourceOf(request.Params.DataSource, nil)
	// Escaped, or an id with a question mark would share answers with another.
	return s.answer(ctx, "customer/"+url.PathEscape(request.Id), func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		c, err := findCustomer(snapshot, source, request.Id)
		if err != nil {
			return nil, err
		}
		r, err := report.CustomerDetail(snapshot, q, c)
		if err != nil {
			return nil, err
		}
		return customerDetailToWire(q, r), nil
	})
}

// findCustomer returns the customer with an id, in the data source if one is
// given; an id that several sources have is an *analytics.AmbiguousError.
func findCustomer(s *report.Snapshot, source, id string) (*report.Customer, error) {
	var found *report.Customer
	ambiguous := &analytics.AmbiguousError{ID: id}
	for _, c := range s.Customers {
		if c == nil || c.ID != id {
			continue
		}
		if own := s.Sources[c.Source].ID; source == "" || own == source {
			found = c
			ambiguous.Sources = append(ambiguous.Sources, own)
		}
	}
	switch len(ambiguous.Sources) {
	case 0:
		return nil, &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("no customer has the id %q", clip(id))}
	case 1:
		return found, nil
	default:
		return nil, ambiguous
	}
}

// stampOrNull returns a stamp as the contract writes times, nil when not stated.
func stampOrNull(s calendar.Stamp) *string { return textOrNull(s.String()) }

func customerToWire(c *report.CustomerState) wire.Customer {
	out := wire.Customer{
		Id: c.ID, Name: textOrNull(c.Name), Email: textOrNull(c.Email), Status: wire.CustomerStatus(c.Status.String()),
		Country: textOrNull(c.Country), State: textOrNull(c.State), CustomVariables: c.Custom.Map(), DataSource: c.SourceID,
		CreatedDate: stampOrNull(c.CreatedDate), TrialStarted: stampOrNull(c.TrialStart), TrialEndDate: stampOrNull(c.TrialEnd),
		PaidStarted: stampOrNull(c.PaidStarted), CancelDate: stampOrNull(c.CancelDate), OverdueDate: stampOrNull(c.OverdueDate),
		Mrr: c.MRR, CurrentMrr: c.MRR, CurrentMrrBaseCurrency: c.MRR, Payments: int64(c.Payments),
		TotalPaidBaseCurrency: c.TotalPaid, TotalPaidCustomerCurrency: c.TotalPaidCustomer,
	}
	if c.Currency != money.None {
		code := c.Currency.Code()
		out.Currency = &code
	}
	return out
}

func customerDetailToWire(q *report.Query, r *report.CustomerDetailReport) *wire.CustomerDetail {
	c := customerToWire(&r.CustomerState)
	out := &wire.CustomerDetail{
		Id: c.Id, Name: c.Name, Email: c.Email, Status: c.Status, Country: c.Country, State: c.State,
		CustomVariables: c.CustomVariables, DataSource: c.DataSource, BaseCurrency: q.Base.Code(), Currency: r.Currency.Code(),
		CreatedDate: c.CreatedDate, TrialStarted: c.TrialStarted, TrialEndDate: c.TrialEndDate,
		PaidStarted: c.PaidStarted, CancelDate: c.CancelDate, OverdueDate: c.OverdueDate,
		CancelEffectiveDate: stampOrNull(r.CancelEnd), CancelReason: textOrNull(r.CancelReason),
		Payments: c.Payments, CurrentMrrBaseCurrency: r.MRR, CurrentMrrCustomerCurrency: r.MRRCustomer,
		TotalPaidBaseCurrency: r.TotalPaid, TotalPaidCustomerCurrency: r.TotalPaidCustomer,
		CurrentSubscriptions: make([]wire.Subscription, 0, len(r.Subscriptions)),
	}
	for i := range r.Subscriptions {
		sub := &r.Subscriptions[i]
		out.CurrentSubscriptions = append(out.CurrentSubscriptions, wire.Subscription{
			SubscriptionId: textOrNull(sub.ID), PlanId: textOrNull(sub.PlanID), PlanName: textOrNull(sub.PlanName), Status: sub.Status,
			Currency: sub.Currency.Code(), Mrr: sub.MRR, Quantity: sub.Quantity,
			StartDate: stampOrNull(sub.Start), CurrentPeriodEnd: stampOrNull(sub.PeriodEnd), NextBillingDate: stampOrNull(sub.NextBilling),
		})
	}
	return out
}

// GetPlans implements wire.StrictServerInterface.
func (s *Server) GetPlans(ctx context.Context, _ wire.GetPlansRequestObject) (wire.GetPlansResponseObject, error) {
	return s.answer(ctx, "plans", func(snapshot *report.Snapshot, q *report.Query) (wire.Answer, error) {
		r, err := report.PlanList(snapshot, q)
		if err != nil {
			return nil, err
		}
		page := wire.PlanPage{
			Count: int64(r.Count), Limit: int64(r.Limit), Offset: int64(r.Offset), HasMore: r.HasMore, List: make([]wire.Plan, 0, len(r.List)),
		}
		for i := range r.List {
			page.List = append(page.List, planToWire(&r.List[i]))
		}
		return &wire.PlanList{Result: page}, nil
	})
}

func planToWire(p *report.PlanState) wire.Plan {
	out := wire.Plan{
		Id: p.ID, ExternalId: p.ID, Name: p.Name, ProductName: textOrNull(p.Product), DataSource: p.SourceID,
		BillingFreq: wire.Interval(p.Frequency.String()), Interval: wire.Interval(p.Interval.Unit.String()), IntervalCount: int64(p.Interval.Count),
		Currency: p.Currency.Code(), CustomerCount: int64(p.Customers), Groups: make([]wire.PlanGroupRef, 0, len(p.InGroups)),
	}
	if p.Priced {
		out.Amount = &p.Price
	}
	for _, g := range p.InGroups {
		out.Groups = append(out.Groups, wire.PlanGroupRef{Id: g.ID, Name: g.Name})
	}
	return out
}
