package gatewaytest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// ErrorRows returns a handler that answers GET /errors/{id}, or any other
// method, precisely as the catalog row of that ID says: status, headers, and
// for the Higress rows the body. Query parameters fill the parameters of the
// message in, as in /errors/I400MH?HeaderName=X-Ca-Key. A path that ends in
// /errors/ lists the IDs; an ID that is not in the catalog gives 404 without
// the headers of a gateway.
func ErrorRows() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/errors/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		for e := range catalog.All() {
			fmt.Fprintln(w, e.ID)
		}
	})
	mux.HandleFunc("/errors/{id}", func(w http.ResponseWriter, r *http.Request) {
		entry, ok := catalog.ByID(r.PathValue("id"))
		if !ok {
			http.Error(w, "no such row; /errors/ lists them", http.StatusNotFound)
			return
		}
		ref := &refusal{entry: entry, params: make(map[string]string)}
		for name, values := range r.URL.Query() {
			ref.params[name] = values[0]
		}
		h := w.Header()
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		h.Set(requestIDHeader(entry.Generation), newRequestID(entry.Generation))
		body := ref.writeHead(h, r)
		h.Set("Content-Length", strconv.Itoa(len(body)))
		// A row of any status gets the one that is asked for.
		status, _ := strconv.Atoi(ref.params["status"])
		if entry.Status != 0 || status < 200 || status > 599 {
			status = cmp.Or(entry.Status, http.StatusBadGateway)
		}
		w.WriteHeader(status)
		io.WriteString(w, body) // net/http drops it for HEAD
	})
	return mux
}
