// Package catalog holds the error responses that Alibaba Cloud API Gateway
// (阿里云 API 网关) and Higress hmac-auth give, and finds the one that a code or
// a text belongs to.
//
// The rows stand in errors.tsv, embedded and parsed at the first use. Each row
// says where it comes from and how far it was verified; show
// [Entry.Confidence] wherever you show a row. [Lookup] finds by six-character
// code, [MatchText] by message, [Infer] and [ByStatus] answer for what is not
// in the table.
//
// Entries are shared: treat what a pointer of this package points to as
// read-only. All functions are total and safe for concurrent use.
package catalog

import "iter"

// Code is the six-character value of X-Ca-Error-Code that VPC-type instances
// send: a letter, the HTTP status, two letters or digits, as in "B403MQ".
type Code string

// Valid reports whether c has the shape of a code. The shape is read off the
// documented codes, it is not documented itself.
func (c Code) Valid() bool {
	if len(c) != 6 || c[0] < 'A' || c[0] > 'Z' {
		return false
	}
	for i := 1; i < 4; i++ {
		if c[i] < '0' || c[i] > '9' {
			return false
		}
	}
	for i := 4; i < 6; i++ {
		if (c[i] < 'A' || c[i] > 'Z') && (c[i] < '0' || c[i] > '9') {
			return false
		}
	}
	return true
}

// Status returns the HTTP status that digits two to four of c name, or 0 where
// c does not have the shape of a code.
func (c Code) Status() int {
	if !c.Valid() {
		return 0
	}
	return int(c[1]-'0')*100 + int(c[2]-'0')*10 + int(c[3]-'0')
}

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

// Entry is one error response.
type Entry struct {
	// ID names the row: the code on VPC-type rows, "classic.quota-exhausted"
	// and the like elsewhere, [UnknownID] for the general entries that
	// [Infer] and [ByStatus] give.
	ID         string
	Generation Generation
	// Code is empty where the dialect has none.
	Code   Code
	Status int
	// Message is the text of X-Ca-Error-Message, parameters as ${Name} or
	// %s; empty where no source showed it.
	Message string
	// Aliases are other spellings seen in the wild.
	Aliases []string
	Class   Class
	// ServerSide says that gateway or backend failed, not the request.
	ServerSide bool
	// Retry is what another attempt can do.
	Retry Retry
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
}

// Verified reports whether code and meaning were read in an Alibaba Cloud
// document or in several independent programs. Say "unverified" beside the
// others.
func (e *Entry) Verified() bool { return e.Confidence >= ConfidenceMedium }

// Edition tells which version of the table is embedded.
type Edition struct {
	Name   string // such as "2026-11"
	Date   string // such as "2026-11-24"
	Source string
}

// CurrentEdition returns the head of the embedded table.
func CurrentEdition() Edition { return embedded().edition }

// Len returns the number of rows.
func Len() int { return len(embedded().entries) }

// All yields the rows in the order of the table.
func All() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		t := embedded()
		for i := range t.entries {
			if !yield(&t.entries[i]) {
				return
			}
		}
	}
}

// ByID returns the row with that ID.
func ByID(id string) (*Entry, bool) {
	e, ok := embedded().byID[id]
	return e, ok
}

// Lookup returns the row of a code. Letters count as they are: the gateway
// sends capitals.
func Lookup(code Code) (*Entry, bool) {
	if len(code) != 6 {
		return nil, false
	}
	e, ok := embedded().byCode[code]
	return e, ok
}
