// Package catalog holds the error responses of Alibaba Cloud API Gateway
// (阿里云 API 网关) in all its generations: classic and VPC-type instances, the
// cloud-native and AI gateways with Envoy and the plug-ins of Higress inside,
// and Function Compute behind them. It finds the one that a response belongs to.
//
// The rows are in errors.tsv, embedded and parsed at the first use. Each row
// says where it comes from and how far it was verified; show
// [Entry.Confidence] wherever you show a row. [Lookup] finds by six-character
// code, [MatchText] by the text of a header, [MatchBody] by body and other
// headers; [Infer] and [ByStatus] answer for what is not in the table.
//
// Everything that this package returns is a copy. All functions are total and
// safe for concurrent use.
package catalog

import "iter"

// Edition says which version of the table is embedded.
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
func All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, e := range embedded().entries {
			if !yield(e) {
				return
			}
		}
	}
}

// ByID returns the row with that ID.
func ByID(id string) (Entry, bool) { return found(embedded().byID[id]) }

// Lookup returns the row of a code. Letters count as they are: the gateway
// sends capitals.
func Lookup(code Code) (Entry, bool) {
	if len(code) != 6 {
		return Entry{}, false
	}
	return found(embedded().byCode[code])
}

func found(e *Entry) (Entry, bool) {
	if e == nil {
		return Entry{}, false
	}
	return *e, true
}
