package contracttest

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/growpanel/growpanel-mcp/openapi"
)

// Watch returns a handler that passes requests on and reports every answer that
// breaks the contract to the test. Put in front of an API under test, it turns
// all tests of that API into tests of the contract.
//
// Routes that the contract does not have are held to the shape of errors. HEAD
// and OPTIONS have no body to judge.
func (c *Contract) Watch(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, path := r.Method, r.URL.EscapedPath()
		seen := &witness{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if method == http.MethodHead || method == http.MethodOptions {
			return
		}
		if err := c.judge(method, path, seen); err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
	})
}

func (c *Contract) judge(method, path string, seen *witness) error {
	status := seen.status
	if status == 0 {
		status = http.StatusOK
	}
	if openapi.Find(method, path) != nil {
		return c.Check(method, path, status, seen.Header(), seen.body.Bytes())
	}
	if status < http.StatusBadRequest {
		return nil
	}
	return c.CheckError(status, seen.Header(), seen.body.Bytes())
}

// witness keeps a copy of what is written.
type witness struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *witness) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(b []byte) (int, error) {
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the writer behind.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }
