package gatewaytest

import (
	_ "embed"
	"net/http"
	"strings"
	"sync"

	"github.com/apigw-go/apigw/catalog"
)

// reason is why the gateway refuses a request, before it is put into a
// dialect: a name in refusals.tsv.
type reason string

const (
	keyMissing          reason = "key-missing"
	keyUnknown          reason = "key-unknown"
	signatureMissing    reason = "signature-missing"
	timestampMalformed  reason = "timestamp-malformed"
	timestampExpired    reason = "timestamp-expired"
	nonceUsed           reason = "nonce-used"
	md5Mismatch         reason = "md5-mismatch"
	signatureMismatch   reason = "signature-mismatch"
	appCodeUnknown      reason = "appcode-unknown"
	stageUnknown        reason = "stage-unknown"
	methodUnsupported   reason = "method-unsupported"
	protocolUnsupported reason = "protocol-unsupported"
	apiNotFound         reason = "api-not-found"
	originForbidden     reason = "origin-forbidden"
	originNotFound      reason = "origin-not-found"
	bodyTooLarge        reason = "body-too-large"
	appUnauthorized     reason = "app-unauthorized"
	throttledAPI        reason = "throttled-api"
	throttledApp        reason = "throttled-app"
	throttledUser       reason = "throttled-user"
	throttledGroup      reason = "throttled-group"
	throttledDomain     reason = "throttled-domain"
	quotaExhausted      reason = "quota-exhausted"
	quotaExpired        reason = "quota-expired"
	breakerOpen         reason = "breaker-open"
	breakerBusy         reason = "breaker-busy"
	backendTimeout      reason = "backend-timeout"

	// Of plug-ins.
	nonceMissing       reason = "nonce-missing"
	nonceInvalid       reason = "nonce-invalid"
	apiKeyMissing      reason = "api-key-missing"
	apiKeyAmbiguous    reason = "api-key-ambiguous"
	apiKeyUnauthorized reason = "api-key-unauthorized"
	basicMissing       reason = "basic-missing"
	basicInvalid       reason = "basic-invalid"
	basicUnauthorized  reason = "basic-unauthorized"
	jwtMissing         reason = "jwt-missing"
	jwtInvalid         reason = "jwt-invalid"
	jwtExpired         reason = "jwt-expired"
	jwtUnauthorized    reason = "jwt-unauthorized"
)

//go:embed refusals.tsv
var refusalTable string

// refusalRows are the rows of refusals.tsv: the IDs by reason and by the name
// of the generation.
var refusalRows = sync.OnceValue(func() map[reason]map[string]string {
	table := make(map[reason]map[string]string)
	var generations []string
	for line := range strings.Lines(refusalTable) {
		line = strings.TrimSuffix(line, "\n")
		if head, ok := strings.CutPrefix(line, "# reason\t"); ok {
			generations = strings.Split(head, "\t")
		}
		columns := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || len(columns) != len(generations)+1 {
			continue // a test counts the rows
		}
		ids := make(map[string]string)
		for i, id := range columns[1:] {
			switch id {
			case "-":
			case "=":
				ids[generations[i]] = ids[catalog.GenerationHigress.String()] // which stands before
			default:
				ids[generations[i]] = id
			}
		}
		table[reason(columns[0])] = ids
	}
	return table
})

// refusal is an error answer of the gateway.
type refusal struct {
	entry  catalog.Entry
	params map[string]string
}

// refuse returns the refusal of a dialect, nil if the dialect has none. Params
// are pairs of name and value.
func refuse(dialect catalog.Generation, why reason, params ...string) *refusal {
	if dialect == catalog.GenerationUnknown {
		dialect = catalog.GenerationClassic
	}
	entry, ok := catalog.ByID(refusalRows()[why][dialect.String()])
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

// writeHead sets the headers of a refusal as its generation has them, and
// returns the body that it gives.
func (r *refusal) writeHead(h http.Header, req *http.Request) (body string) {
	text := r.message(req)
	h.Del("Content-Type")
	if r.entry.Code != "" {
		h.Set("X-Ca-Error-Code", string(r.entry.Code))
	}
	switch {
	case r.entry.Place != catalog.PlaceHeader:
		body = text
	case text != "":
		h.Set("X-Ca-Error-Message", headerText(text))
		body = r.bodyBesideHeader()
	}
	switch {
	case strings.HasPrefix(body, "{"):
		h.Set("Content-Type", "application/json")
	case body != "":
		h.Set("Content-Type", "text/plain")
	}
	r.writeMarks(h, req)
	return body
}

// bodyBesideHeader is the body of a row that stands in a header: only the newer
// generations have one, the other form of the row's text.
func (r *refusal) bodyBesideHeader() string {
	if r.entry.Generation <= catalog.GenerationVPC {
		return ""
	}
	for _, alias := range r.entry.Aliases() {
		return alias
	}
	return ""
}

// writeMarks sets the headers by which a row is recognized, see [catalog.Entry.Mark].
// What the gateway has set before stays, unless a parameter says otherwise.
func (r *refusal) writeMarks(h http.Header, req *http.Request) {
	for name, value := range r.entry.MarkHeaders() {
		given, ok := r.params[name+":"]
		switch begin, open := strings.CutSuffix(value, "sample"); {
		case ok:
			value = given
		case h.Get(name) != "":
			continue
		case open || value == "1": // any value, or any end of it
			value = strings.TrimSuffix(begin, "1") + sample(name+":", r.entry, req,
				h.Get(requestIDHeader(r.entry.Generation)))
		}
		h.Set(name, headerText(value))
	}
}
