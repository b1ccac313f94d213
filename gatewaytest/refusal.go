package gatewaytest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// reason is why the gateway refuses a request, before it is put into a
// dialect.
type reason uint8

const (
	keyMissing reason = iota
	keyUnknown
	signatureMissing
	timestampMalformed
	timestampExpired
	nonceUsed
	md5Mismatch
	signatureMismatch
	appCodeUnknown
	stageUnknown
	methodUnsupported
	apiNotFound
	bodyTooLarge
	appUnauthorized
	throttledAPI
	throttledApp
	throttledUser
	throttledDomain
	quotaExhausted
	quotaExpired
	breakerOpen
	breakerBusy
	backendTimeout
)

// rows names the catalog row of every reason per dialect. A dialect without
// its own answer has "": a Higress hmac-auth does not make that check.
//
// Where the catalog has no row for just this, the next general one stands: a
// classic instance says "Invalid Url" of a wrong stage and path, and "Invalid
// Request Body" of one that is too large; VPC-type instances have no row for
// the limit of an application.
var rows = [...]struct{ classic, vpc, higress string }{
	keyMissing:         {"classic.invalid-appkey", "I400MH", "higress.invalid-key"},
	keyUnknown:         {"classic.invalid-appkey", "A400IK", "higress.invalid-key"},
	signatureMissing:   {"classic.empty-signature", "I400MH", "higress.empty-signature"},
	timestampMalformed: {"classic.invalid-timestamp", "I400HD", "higress.invalid-date"},
	timestampExpired:   {"classic.timestamp-expired", "S403TE", "higress.invalid-date"},
	nonceUsed:          {"classic.nonce-used", "S403NU", ""},
	md5Mismatch:        {"classic.invalid-content-md5", "I400I5", "higress.invalid-content-md5"},
	signatureMismatch:  {"classic.invalid-signature", "A403IS", "higress.invalid-signature"},
	appCodeUnknown:     {"classic.invalid-appcode", "A400AC", ""},
	stageUnknown:       {"classic.invalid-url", "I400SG", ""},
	methodUnsupported:  {"classic.invalid-method", "I405UM", ""},
	apiNotFound:        {"classic.invalid-url", "I404NF", ""},
	bodyTooLarge:       {"classic.invalid-body", "I413RL", "higress.body-too-large"},
	appUnauthorized:    {"classic.unauthorized", "I403AA", "higress.unauthorized-consumer"},
	throttledAPI:       {"classic.throttled-api", "T429PA", ""},
	throttledApp:       {"classic.throttled-app", "T429MR", ""},
	throttledUser:      {"classic.throttled-user", "T429UR", ""},
	throttledDomain:    {"classic.throttled-domain", "T429ID", ""},
	quotaExhausted:     {"classic.quota-exhausted", "B403MQ", ""},
	quotaExpired:       {"classic.quota-expired", "B403ME", ""},
	breakerOpen:        {"classic.service-unavailable", "D503CB", ""},
	breakerBusy:        {"classic.service-unavailable", "D503BB", ""},
	backendTimeout:     {"classic.async-service", "D504TO", ""},
}

// refusal is an error answer of the gateway.
type refusal struct {
	entry  catalog.Entry
	params map[string]string
}

// refuse returns the refusal of a dialect, nil where the dialect has none.
// Params are pairs of name and value.
func refuse(dialect catalog.Generation, why reason, params ...string) *refusal {
	id := rows[why].classic
	switch dialect {
	case catalog.GenerationVPC:
		id = rows[why].vpc
	case catalog.GenerationHigress:
		id = rows[why].higress
	}
	entry, ok := catalog.ByID(id)
	if !ok {
		return nil
	}
	r := &refusal{entry: entry}
	for i := 0; i+1 < len(params); i += 2 {
		if r.params == nil {
			r.params = make(map[string]string)
		}
		r.params[params[i]] = params[i+1]
	}
	return r
}

// maxMessage cuts the message off, so that the string to sign of a large form
// does not exceed what clients read of a header.
const maxMessage = 16 << 10

// message fills the parameters of the row's text in. A parameter that nobody
// gave gets a sample value.
func (r *refusal) message(req *http.Request) string {
	return headerText(r.entry.Fill(func(name string) string {
		value, ok := r.params[name]
		if !ok {
			value = sampleParam(name, r.entry, req)
		}
		// The string to sign stands in backquotes on all the wire samples,
		// though not in all the rows.
		if name == "StringToSign" && !strings.Contains(r.entry.Message, "`") {
			value = "`" + value + "`"
		}
		return value
	}))
}

func sampleParam(name string, e catalog.Entry, r *http.Request) string {
	switch name {
	case "StringToSign":
		return r.Method + "#####" + r.URL.EscapedPath()
	case "Domain", "DomainName":
		return r.Host
	case "Method":
		return r.Method
	case "Path":
		return r.URL.EscapedPath()
	case "HeaderName":
		return "X-Ca-Key"
	case "Reason":
		switch e.ID {
		case "I404NF":
			return "with `" + r.Method + " " + r.URL.EscapedPath() + "`"
		case "A400AC":
			return "`not exists`"
		case "D504CO":
			return "Timeout connecting to 192.0.2.1:8080"
		}
	}
	return "sample"
}

// headerText makes s fit for a header: line breaks become "#", as the gateway
// writes them, other control characters "?". Bytes that are not UTF-8 stay.
func headerText(s string) string {
	b := []byte(s[:min(len(s), maxMessage)])
	for i, c := range b {
		switch {
		case c == '\n':
			b[i] = '#'
		case c < ' ' || c == 0x7f:
			b[i] = '?'
		}
	}
	return string(b)
}

// writeHead sets the headers of a refusal as its dialect has them, and returns
// the body that the dialect gives it.
func (r *refusal) writeHead(h http.Header, req *http.Request) (body string) {
	text := r.message(req)
	h.Del("Content-Type")
	switch r.entry.Generation {
	case catalog.GenerationHigress:
		// Everything but the string to sign comes in a plain body.
		h.Del("X-Ca-Request-Id")
		h.Set("Content-Type", "text/plain")
		if strings.Contains(text, "StringToSign") {
			h.Set("X-Ca-Error-Message", text)
			return "Invalid Signature"
		}
		return text
	case catalog.GenerationVPC:
		h.Set("X-Ca-Error-Code", string(r.entry.Code))
	}
	if text != "" {
		h.Set("X-Ca-Error-Message", text)
	}
	return ""
}

// setCommon sets what every answer of the gateway has.
func setCommon(h http.Header, now time.Time, requestID string) {
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	h.Set("X-Ca-Request-Id", requestID)
}

// newRequestID returns a UUID in capitals, the form that the gateway gives.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

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
		setCommon(w.Header(), time.Now(), newRequestID())
		body := ref.writeHead(w.Header(), r)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(entry.Status)
		w.Write([]byte(body)) // net/http drops it for HEAD
	})
	return mux
}
