package httpapi

import (
	"net/http"
	"strings"
)

// RateLimits says how many requests of each class an account may make per
// minute; 0 is no limit. The classes are separate: a report does not use up
// other reads (seed 000).
type RateLimits struct {
	Get    int // GET and HEAD outside /reports
	Report int // GET and HEAD under /reports
	Post   int
	Put    int
	Delete int
}

// classOf returns the class of a route and its limit.
func (l RateLimits) classOf(method, path string) (class string, limit int) {
	switch method {
	case http.MethodPost:
		return "POST", l.Post
	case http.MethodPut:
		return "PUT", l.Put
	case http.MethodDelete:
		return "DELETE", l.Delete
	default:
		if strings.HasPrefix(path, "/reports/") {
			return "REPORT", l.Report
		}
		return "GET", l.Get
	}
}
