package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/growpanel/growpanel-mcp/analytics/calendar"
	"github.com/growpanel/growpanel-mcp/analytics/fx"
	"github.com/growpanel/growpanel-mcp/analytics/report"
	"github.com/growpanel/growpanel-mcp/billing"
	"github.com/growpanel/growpanel-mcp/identity"
	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// errNoPayments is the answer to what a payment provider would be needed for.
func errNoPayments() error {
	return &httpx.Error{Status: http.StatusNotImplemented, Code: "no_payment_provider", Message: "this server has no payment provider: it keeps no cards and charges nothing"}
}

// GetAccountBilling implements wire.StrictServerInterface.
func (s *Server) GetAccountBilling(ctx context.Context, _ wire.GetAccountBillingRequestObject) (wire.GetAccountBillingResponseObject, error) {
	record, err := s.billing.Billing(ctx, callerOf(ctx).Account)
	if err != nil {
		return nil, err
	}
	out, err := s.billingToWire(ctx, record)
	if err != nil {
		return nil, err
	}
	return wire.GetAccountBilling200JSONResponse(out), nil
}

// GetAccountBillingInvoices implements wire.StrictServerInterface.
func (s *Server) GetAccountBillingInvoices(context.Context, wire.GetAccountBillingInvoicesRequestObject) (wire.GetAccountBillingInvoicesResponseObject, error) {
	return wire.GetAccountBillingInvoices200JSONResponse{Result: []string{}}, nil
}

// GetAccountBillingPortal implements wire.StrictServerInterface.
func (s *Server) GetAccountBillingPortal(context.Context, wire.GetAccountBillingPortalRequestObject) (wire.GetAccountBillingPortalResponseObject, error) {
	return nil, errNoPayments()
}

// PostAccountBillingSetup implements wire.StrictServerInterface.
func (s *Server) PostAccountBillingSetup(context.Context, wire.PostAccountBillingSetupRequestObject) (wire.PostAccountBillingSetupResponseObject, error) {
	return nil, errNoPayments()
}

// DeleteAccountBillingCardsId implements wire.StrictServerInterface.
func (s *Server) DeleteAccountBillingCardsId(context.Context, wire.DeleteAccountBillingCardsIdRequestObject) (wire.DeleteAccountBillingCardsIdResponseObject, error) {
	return nil, errNoPayments()
}

// GetAccountBillingCheckVat implements wire.StrictServerInterface.
func (s *Server) GetAccountBillingCheckVat(_ context.Context, request wire.GetAccountBillingCheckVatRequestObject) (wire.GetAccountBillingCheckVatResponseObject, error) {
	number := given(request.Params.VatNumber)
	if number == "" {
		return nil, httpx.Field("vat_number", "is required, such as DE136695976")
	}
	check := billing.CheckVAT(clip(number))
	return wire.GetAccountBillingCheckVat200JSONResponse{
		Valid: check.Valid, VatNumber: check.Number, Country: textOrNull(check.Country), Reason: textOrNull(check.Reason),
	}, nil
}

// PostAccountBillingSubscribe implements wire.StrictServerInterface.
func (s *Server) PostAccountBillingSubscribe(ctx context.Context, request wire.PostAccountBillingSubscribeRequestObject) (wire.PostAccountBillingSubscribeResponseObject, error) {
	changed, err := s.changeBilling(ctx, func(r *billing.Record) error {
		return r.Choose(request.Body.Plan, given(request.Body.Period))
	})
	if err != nil {
		return nil, err
	}
	return wire.PostAccountBillingSubscribe200JSONResponse(changed), nil
}

// PostAccountBillingChangePlan implements wire.StrictServerInterface.
func (s *Server) PostAccountBillingChangePlan(ctx context.Context, request wire.PostAccountBillingChangePlanRequestObject) (wire.PostAccountBillingChangePlanResponseObject, error) {
	changed, err := s.changeBilling(ctx, func(r *billing.Record) error {
		if r.Plan == "" {
			return &httpx.Error{Status: http.StatusConflict, Code: "no_plan", Message: "the account has no plan to change; choose one with POST /account/billing/subscribe"}
		}
		cycle := given(request.Body.Period)
		if cycle == "" {
			cycle = r.Cycle
		}
		return r.Choose(request.Body.Plan, cycle)
	})
	if err != nil {
		return nil, err
	}
	return wire.PostAccountBillingChangePlan200JSONResponse(changed), nil
}

// PostAccountBillingPreviewChange implements wire.StrictServerInterface.
func (s *Server) PostAccountBillingPreviewChange(ctx context.Context, request wire.PostAccountBillingPreviewChangeRequestObject) (wire.PostAccountBillingPreviewChangeResponseObject, error) {
	if err := ownersOnly(ctx); err != nil {
		return nil, err
	}
	account := callerOf(ctx).Account
	record, err := s.billing.Billing(ctx, account)
	if err != nil {
		return nil, err
	}
	next := record
	if err := next.Choose(request.Body.Plan, given(request.Body.Period)); err != nil {
		return nil, billingError(err)
	}
	settings, err := s.engine.Settings(ctx, account)
	if err != nil {
		return nil, err
	}
	return wire.PostAccountBillingPreviewChange200JSONResponse{
		CurrentPlan: textOrNull(record.Plan), NewPlan: next.Plan, BillingCycle: next.Cycle, AmountDue: 0, Currency: settings.BaseCurrency,
		ProrationDate: calendar.DayOf(s.now().UTC()).String(), Effective: "immediately",
	}, nil
}

// PostAccountBillingAddress implements wire.StrictServerInterface.
func (s *Server) PostAccountBillingAddress(ctx context.Context, request wire.PostAccountBillingAddressRequestObject) (wire.PostAccountBillingAddressResponseObject, error) {
	if err := refuseUnknown(ctx, &wire.BillingAddress{}); err != nil {
		return nil, err
	}
	b := request.Body
	changed, err := s.changeBilling(ctx, func(r *billing.Record) error {
		return r.SetAddress(billing.Address{
			Name: given(b.Name), Line1: b.Line1, Line2: given(b.Line2), City: b.City,
			PostalCode: given(b.PostalCode), State: given(b.State), Country: b.Country,
		}, given(b.VatNumber))
	})
	if err != nil {
		return nil, err
	}
	return wire.PostAccountBillingAddress200JSONResponse(changed), nil
}

// PostAccountBillingUndoCancellation implements wire.StrictServerInterface.
func (s *Server) PostAccountBillingUndoCancellation(ctx context.Context, _ wire.PostAccountBillingUndoCancellationRequestObject) (wire.PostAccountBillingUndoCancellationResponseObject, error) {
	changed, err := s.changeBilling(ctx, func(r *billing.Record) error {
		r.KeepPlan()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return wire.PostAccountBillingUndoCancellation200JSONResponse(changed), nil
}

// changeBilling changes the record for an owner and notes that in the audit log.
func (s *Server) changeBilling(ctx context.Context, change func(*billing.Record) error) (wire.BillingChanged, error) {
	if err := ownersOnly(ctx); err != nil {
		return wire.BillingChanged{}, err
	}
	account := callerOf(ctx).Account
	record, err := s.billing.ChangeBilling(ctx, account, change)
	if err != nil {
		return wire.BillingChanged{}, billingError(err)
	}
	if err := s.identity.Record(ctx, identity.Event{Kind: identity.BillingChanged, Account: account, Detail: record.Plan}); err != nil {
		return wire.BillingChanged{}, err
	}
	out, err := s.billingToWire(ctx, record)
	return wire.BillingChanged{Success: true, Billing: out}, err
}

func billingError(err error) error {
	if wrong, ok := errors.AsType[*billing.FieldError](err); ok {
		return httpx.Field(wrong.Field, wrong.Message)
	}
	return err
}

// billingToWire shows a record beside what the account has now.
func (s *Server) billingToWire(ctx context.Context, r billing.Record) (wire.Billing, error) {
	snapshot, err := s.engine.Snapshot(ctx, callerOf(ctx).Account)
	if err != nil {
		return wire.Billing{}, err
	}
	mrr, customers, err := paying(snapshot)
	if err != nil {
		return wire.Billing{}, err
	}
	out := wire.Billing{
		Plan: textOrNull(r.Plan), Status: string(r.Status), BillingCycle: textOrNull(r.Cycle), CurrentPeriodStart: textOrNull(r.PeriodStart),
		CurrentPeriodEnd: textOrNull(r.PeriodEnd), MrrLimit: r.MRRLimit, CurrentMrr: mrr, CustomerLimit: r.CustomerLimit, CurrentCustomers: customers,
		Currency: snapshot.Settings.Base.Code(), Cards: []string{}, VatNumber: textOrNull(r.VATNumber), CancelAt: textOrNull(r.CancelAt),
	}
	if r.Status == "" {
		out.Status = string(billing.None)
	}
	if a := r.Address; a != nil {
		out.Address = &wire.PostalAddress{
			Name: textOrNull(a.Name), Line1: a.Line1, Line2: textOrNull(a.Line2), City: a.City, PostalCode: textOrNull(a.PostalCode), State: textOrNull(a.State), Country: a.Country,
		}
	}
	return out, nil
}

// paying returns MRR and paying customers today. MRR is nil while an exchange rate
// is missing: what an account pays must stay readable then.
func paying(snapshot *report.Snapshot) (mrr *int64, customers int64, err error) {
	q, err := report.ParseQuery(map[string][]string{"date": {"today"}}, snapshot)
	if err != nil {
		return nil, 0, err
	}
	summary, err := report.Summary(snapshot, &q)
	if _, missing := errors.AsType[*fx.MissingRateError](err); missing {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return &summary.Now.MRR, summary.Now.Subscribers, nil
}
