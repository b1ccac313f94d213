package catalog

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text is a sentence in English and in Chinese.
type Text struct {
	EN, ZH string
}

// In returns the sentence in the language of a tag such as "zh", "zh_CN.UTF-8"
// or "en"; English for every tag that is not Chinese.
func (t Text) In(lang string) string {
	if len(lang) >= 2 && (lang[:2] == "zh" || lang[:2] == "ZH") {
		return t.ZH
	}
	return t.EN
}

// UnknownID is the [Entry.ID] of entries that are not rows of the table.
const UnknownID = "unknown"

// Entry is one error response. It is a value: whoever changes it changes a copy
// of their own. Two entries can be compared with ==.
type Entry struct {
	// ID names the row: the code on VPC-type rows, "classic.quota-exhausted"
	// and the like elsewhere, [UnknownID] for the general entries that
	// [Infer], [ByStatus] and [NoResponse] give.
	ID         string
	Generation Generation
	// Origin makes the response.
	Origin Origin
	// Code is empty where the dialect has none.
	Code Code
	// Status is 0 in a row of any status. [Entry.HasStatus] knows the others
	// that were seen.
	Status int
	// Place is where the row shows, and Mark the headers that come with it:
	// conditions by "; ", such as "x-fc-request-id", "server: a|b*" and
	// "!x-envoy-upstream-service-time" for one that is not there.
	Place Place
	Mark  string
	// Message is the text of X-Ca-Error-Message or of the body, parameters
	// as ${Name} or %s; empty where no source showed it. [Entry.Fill] fills
	// it in. Of a JSON body it has the fields that tell the row apart.
	Message string
	Class   Class
	// ServerSide says that gateway or backend failed, not the request.
	ServerSide bool
	// Retry is what another attempt can do.
	Retry Retry
	// Wait is how long the cause lasts, where a document says so; else 0.
	Wait time.Duration
	// Reached says whether the provider's backend may have run the request,
	// and ReachedWhy what that judgement rests on.
	Reached    Reached
	ReachedWhy string
	// Fixer can remove the cause.
	Fixer   Party
	Meaning Text
	Remedy  Text
	// Confidence says how far the row was verified, MessageConfidence the
	// same of its text (unknown where there is none).
	Confidence        Confidence
	MessageConfidence Confidence
	// Source lists the pages and programs that the row was read in.
	Source string

	// Lists are kept as the columns that they come from, so that copies
	// share nothing that can be changed.
	statuses    string // by "|": others than Status that were seen
	aliases     string // by "|"
	notSent     string // by "|": reasons that mean that nothing was sent
	shownParams string // by "|"
	traits      traits
}

// Aliases returns other spellings of the message seen in the wild. The slice is
// the caller's.
func (e Entry) Aliases() []string { return list(e.aliases) }

// Verified reports whether code and meaning were read in an Alibaba Cloud
// document or in several independent programs. Say "unverified" beside the
// others.
func (e Entry) Verified() bool { return e.Confidence >= ConfidenceMedium }

// HasStatus reports whether the row was seen with that status. A row of status
// 0 has all of them.
func (e Entry) HasStatus(status int) bool {
	return e.Status == status || e.Status == 0 ||
		e.statuses != "" && slices.Contains(list(e.statuses), strconv.Itoa(status))
}

// NonceUsed reports that the gateway had accepted a request with the same nonce
// before, so an earlier copy of this one may have run.
func (e Entry) NonceUsed() bool { return e.traits&nonceUsed != 0 }

// TimestampExpired reports that the gateway's clock and the timestamp of the
// request are too far apart, so the right time would help.
func (e Entry) TimestampExpired() bool { return e.traits&timestampExpired != 0 }

// LimitsHost reports a call limit that all calls of the host share: that of the
// instance, the group or the domain.
func (e Entry) LimitsHost() bool { return e.traits&limitsHost != 0 }

// LimitsCaller reports a call limit of the app or the user who calls, for all
// that they call. A limit that is neither the host's nor the caller's is taken
// for one of the API.
func (e Entry) LimitsCaller() bool { return e.traits&limitsCaller != 0 }

// NotSentReasons returns the reasons, as the message of the row names them, that mean that the gateway sent nothing to the backend; nil if the row
// has none. The slice is the caller's.
func (e Entry) NotSentReasons() []string { return list(e.notSent) }

// NewConnection reports that another attempt has to use another connection:
// this one is not for the host (status 421, RFC 9110 section 15.5.20).
func (e Entry) NewConnection() bool { return e.traits&newConnection != 0 }

// NeedsProof reports that an answer of the backend can look like the row, so
// that it stands only where the proxy is known to have answered by itself.
func (e Entry) NeedsProof() bool { return e.traits&needsProof != 0 }

// ShowsParam reports whether the parameter of that name only names a thing, so
// that it may stand in a log. Others may echo what the request carried.
func (e Entry) ShowsParam(name string) bool { return slices.Contains(list(e.shownParams), name) }

// list returns the parts of a column, nil for an empty one.
func list(column string) []string {
	if column == "" {
		return nil
	}
	return strings.Split(column, "|")
}

// traits are facts about a row that a decision needs and no other column has.
type traits uint16

const (
	nonceUsed traits = 1 << iota
	timestampExpired
	limitsHost
	limitsCaller
	newConnection
	needsProof // see NeedsProof
	needsMark  // the words alone are not special enough
	openEnded  // the message may be followed by anything
	passedOn   // the mark of every answer that the proxy only passed on
)

var traitNames = [...]string{
	"nonce-used", "timestamp-expired", "limits-host", "limits-caller",
	"new-connection", "needs-proof", "needs-mark", "open-ended", "passed-on",
}

// parseTraits reads names separated by "|".
func parseTraits(column string) (t traits, ok bool) {
	for _, name := range list(column) {
		i := slices.Index(traitNames[:], name)
		if i < 0 {
			return 0, false
		}
		t |= 1 << i
	}
	return t, true
}
