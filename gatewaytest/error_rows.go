package gatewaytest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// ErrorRows returns a handler that answers GET /errors/{id}, or any other
// method, precisely as the catalog row of that ID says: status, headers, and
// the body if the row shows there. Query parameters fill the parameters of the
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
		w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
		setRequestID(w.Header(), entry.Generation, newRequestID(entry.Generation))
		body := ref.writeHead(w.Header(), r)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(cmp.Or(entry.Status, http.StatusBadGateway)) // 0 is any
		w.Write([]byte(body))                                      // net/http drops it for HEAD
	})
	return mux
}
