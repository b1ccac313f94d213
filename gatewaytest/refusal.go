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
			if id != "-" {
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

// writeHead sets the headers of a refusal as its dialect has them, and returns
// the body that the dialect gives it.
func (r *refusal) writeHead(h http.Header, req *http.Request) (body string) {
	text := r.message(req)
	h.Del("Content-Type")
	for name, value := range r.entry.MarkHeaders() {
		h.Set(name, value)
	}
	if r.entry.Place != catalog.PlaceHeader {
		h.Set("Content-Type", "text/plain")
		if strings.HasPrefix(text, "{") {
			h.Set("Content-Type", "application/json")
		}
		return text
	}
	if r.entry.Code != "" {
		h.Set("X-Ca-Error-Code", string(r.entry.Code))
	}
	if text != "" {
		h.Set("X-Ca-Error-Message", text)
	}
	if r.entry.Generation == catalog.GenerationHigress {
		h.Set("Content-Type", "text/plain")
		return "Invalid Signature" // only the string to sign is in a header
	}
	return ""
}
