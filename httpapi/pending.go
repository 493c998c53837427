package httpapi

import (
	"context"
	"net/http"

	"github.com/growpanel/growpanel-mcp/internal/httpx"
	"github.com/growpanel/growpanel-mcp/openapi/wire"
)

// notServed is the answer for an endpoint of the contract that this server does
// not have.
func notServed(name string) error {
	return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Message: "this server has no " + name}
}

// GetReportsRetention implements wire.StrictServerInterface.
func (s *Server) GetReportsRetention(context.Context, wire.GetReportsRetentionRequestObject) (wire.GetReportsRetentionResponseObject, error) {
	return nil, notServed("/reports/retention")
}

// GetReportsCohort implements wire.StrictServerInterface.
func (s *Server) GetReportsCohort(context.Context, wire.GetReportsCohortRequestObject) (wire.GetReportsCohortResponseObject, error) {
	return nil, notServed("/reports/cohort")
}

// GetReportsCustomerConcentration implements wire.StrictServerInterface.
func (s *Server) GetReportsCustomerConcentration(context.Context, wire.GetReportsCustomerConcentrationRequestObject) (wire.GetReportsCustomerConcentrationResponseObject, error) {
	return nil, notServed("/reports/customer-concentration")
}

// GetCustomers implements wire.StrictServerInterface.
func (s *Server) GetCustomers(context.Context, wire.GetCustomersRequestObject) (wire.GetCustomersResponseObject, error) {
	return nil, notServed("/customers")
}

// GetCustomersId implements wire.StrictServerInterface.
func (s *Server) GetCustomersId(context.Context, wire.GetCustomersIdRequestObject) (wire.GetCustomersIdResponseObject, error) {
	return nil, notServed("/customers/{id}")
}

// GetPlans implements wire.StrictServerInterface.
func (s *Server) GetPlans(context.Context, wire.GetPlansRequestObject) (wire.GetPlansResponseObject, error) {
	return nil, notServed("/plans")
}
