package gatewaytest

import (
	_ "embed"
	"net/http"
	"strings"
	"sync"

	"github.com/apigw-go/apigw/catalog"
)

//go:embed samples.tsv
var sampleTable string

type sampleKey struct{ name, row string }

var samples = sync.OnceValue(func() map[sampleKey]string {
	table := make(map[sampleKey]string)
	for line := range strings.Lines(sampleTable) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if !strings.HasPrefix(line, "#") && len(columns) == 3 {
			table[sampleKey{columns[0], columns[1]}] = columns[2]
		}
	}
	return table
})

// sample returns what stands for a parameter, or for a header if the name
// ends with a colon.
func sample(name string, e catalog.Entry, r *http.Request, requestID string) string {
	value, ok := samples()[sampleKey{name, e.ID}]
	if !ok {
		value, ok = samples()[sampleKey{name, "-"}]
	}
	if !ok {
		return "sample"
	}
	if !strings.Contains(value, "{") {
		return value
	}
	return strings.NewReplacer(
		"{method}", r.Method, "{path}", r.URL.EscapedPath(), "{host}", r.Host, "{id}", requestID).Replace(value)
}
