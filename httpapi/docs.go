package httpapi

import (
	"net/http"
	"sync"

	"github.com/growpanel/growpanel-mcp/httpapi/internal/docs"
	"github.com/growpanel/growpanel-mcp/openapi"
)

// mountDocs serves the contract as a page for people. It is drawn when somebody
// first asks for it.
func (s *Server) mountDocs(rt *router) {
	draw := sync.OnceValues(func() (*docs.Page, error) { return docs.New(openapi.JSON()) })
	serve := func(show func(*docs.Page, http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			page, err := draw()
			if err != nil {
				s.errs.Write(w, r, err)
				return
			}
			show(page, w, r)
		}
	}
	rt.HandleFunc("GET /docs", serve((*docs.Page).Document))
	rt.HandleFunc("GET /docs/assets/{name}", serve((*docs.Page).Asset))
}
