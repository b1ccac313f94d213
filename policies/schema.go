package policies

import _ "embed"

//go:embed policy.schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of policy files. It does not
// see all that [Parse] refuses: duplicate fields, conflicts between patterns, a
// first backoff that is longer than the longest, and durations that overflow.
func Schema() string { return schema }
