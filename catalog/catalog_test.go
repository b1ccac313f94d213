package catalog

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTableHasAllRows(t *testing.T) {
	want := map[Generation]int{
		GenerationClassic: 32, GenerationVPC: 80, GenerationHigress: 56, GenerationEnvoy: 38, GenerationHigressAI: 12,
		GenerationCloudNative: 5, GenerationAIGateway: 1, GenerationFC: 18,
	}
	got := map[Generation]int{}
	for e := range All() {
		got[e.Generation]++
	}
	for g, n := range want {
		if got[g] != n {
			t.Errorf("%v: got %d rows, want %d", g, got[g], n)
		}
	}
	if got, want := Len(), 242; got != want {
		t.Errorf("got %d rows, want %d", got, want)
	}
}

func TestEditionIsNamed(t *testing.T) {
	got := CurrentEdition()
	if !regexp.MustCompile(`^\d{4}-\d\d$`).MatchString(got.Name) || !strings.HasPrefix(got.Date, got.Name) ||
		got.Source == "" {
		t.Errorf("edition %+v", got)
	}
}

func TestRowInvariants(t *testing.T) {
	for e := range All() {
		t.Run(e.ID, func(t *testing.T) {
			if e.Meaning.EN == "" || e.Meaning.ZH == "" || e.Remedy.EN == "" || e.Remedy.ZH == "" {
				t.Errorf("meaning or remedy is missing in a language: %+v", e)
			}
			if e.Source == "" || e.ReachedWhy == "" || e.Confidence == ConfidenceUnknown {
				t.Errorf("source, confidence or reason is missing: %+v", e)
			}
			if e.Class == ClassUnknown && e.Status != 0 && e.Place != PlaceNowhere || e.Retry == RetryUnknown ||
				e.Reached == ReachedUnknown {
				t.Errorf("a judgement is missing: %+v", e)
			}
			if (e.Message == "") != (e.MessageConfidence == ConfidenceUnknown) {
				t.Errorf("text %q with confidence %v", e.Message, e.MessageConfidence)
			}
			if e.Retry == RetrySoon && !e.ServerSide {
				t.Errorf("retry of a client error")
			}
			if e.ServerSide && e.Status < 500 && e.Place == PlaceHeader {
				t.Errorf("server side with status %d", e.Status)
			}
			switch e.Generation {
			case GenerationVPC:
				if string(e.Code) != e.ID || e.Code.Status() != e.Status {
					t.Errorf("code %q, id %q, status %d disagree", e.Code, e.ID, e.Status)
				}
				if got, ok := Lookup(e.Code); !ok || got != e {
					t.Errorf("Lookup(%q) = %v, %v", e.Code, got, ok)
				}
			default:
				if e.Code != "" {
					t.Errorf("code %q outside the VPC dialect", e.Code)
				}
			}
			if got, ok := ByID(e.ID); !ok || got != e {
				t.Errorf("ByID(%q) = %v, %v", e.ID, got, ok)
			}
		})
	}
}

// The document that the classic rows come from, row by row, letter by letter.
func TestClassicRowsAreTheDocuments(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "testdata", "classic-error-table.zh.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		status := 0
		if len(cells) == 4 {
			status, _ = strconv.Atoi(cells[1])
		}
		if status == 0 {
			continue
		}
		rows++
		t.Run(cells[0], func(t *testing.T) {
			i := slices.IndexFunc(slices.Collect(All()), func(e Entry) bool {
				return e.Generation == GenerationClassic && (e.Message == cells[0] ||
					slices.Contains(e.Aliases(), cells[0]))
			})
			if i < 0 {
				t.Fatal("not in the catalog")
			}
			e := slices.Collect(All())[i]
			got := []string{strconv.Itoa(e.Status), e.Meaning.ZH, e.Remedy.ZH}
			if want := cells[1:]; !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
	if rows != 29 {
		t.Errorf("the document has %d rows, want 29", rows)
	}
}

func TestParseTableRefuses(t *testing.T) {
	head := "# edition: 2026-11\n# date: 2026-11-24\n# source: s\n" + columns + "\n"
	row := "a\tclassic\tgateway\t\t403\t401\theader\tserver: x\tText\t\tquota\tfalse\tno\t90s\tmaybe\twhy\t\t" +
		"caller\tm\tm\tr\tr\tName\tnonce-used\thigh\thigh\ts\n"
	if _, err := parseTable(head + row); err != nil {
		t.Fatalf("the good table: %v", err)
	}
	for name, c := range map[string]struct{ tsv, want string }{
		"no head":       {columns + "\n" + row, "edition"},
		"other columns": {"# edition: x\nid\n", `line 2: columns are "id"`},
		"short row":     {head + "a\tb\n", "line 5: 2 columns, want 27"},
		"bad generation": {
			head + strings.Replace(row, "classic", "clasic", 1), `line 5: generation: unknown value "clasic"`,
		},
		"bad origin":   {head + strings.Replace(row, "gateway", "gate", 1), `origin: unknown value "gate"`},
		"bad place":    {head + strings.Replace(row, "header", "head", 1), `place: unknown value "head"`},
		"bad statuses": {head + strings.Replace(row, "401", "4oo", 1), `other_statuses: unknown value "4oo"`},
		"torn JSON body": {
			head + strings.Replace(strings.Replace(row, "header", "body", 1), "Text", `{"a":`, 1), "a: message: ",
		},
		"bad status":   {head + strings.Replace(row, "403", "40x", 1), `status: unknown value "40x"`},
		"bad category": {head + strings.Replace(row, "quota", "qouta", 1), `class: unknown value "qouta"`},
		"bad retry":    {head + strings.Replace(row, "\tno\t", "\tnever\t", 1), `retry: unknown value "never"`},
		"bad reached":  {head + strings.Replace(row, "maybe", "nope", 1), `backend_reached: unknown value "nope"`},
		"bad confidence": {
			head + strings.Replace(row, "high\thigh", "hi\thigh", 1), `confidence: unknown value "hi"`,
		},
		"bad wait":         {head + strings.Replace(row, "90s", "90", 1), `wait: unknown value "90"`},
		"bad trait":        {head + strings.Replace(row, "nonce-used", "nonce", 1), `traits: unknown value "nonce"`},
		"id stands twice":  {head + row + row, `id "a" is empty or stands twice`},
		"two faults named": {head + strings.NewReplacer("403", "1", "quota", "q").Replace(row), "class"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseTable(c.tsv)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestEnumsHaveNames(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		last  string
		zero  string
	}{
		"generation": {generationNames[:], GenerationFC.String(), Generation(0).String()},
		"class":      {classNames[:], ClassCircuitOpen.String(), Class(0).String()},
		"origin":     {originNames[:], OriginBackend.String(), Origin(0).String()},
		"place":      {placeNames[:], PlaceNowhere.String(), Place(0).String()},
		"retry":      {retryNames[:], RetryWait.String(), Retry(0).String()},
		"reached":    {reachedNames[:], ReachedNoAtThisHop.String(), Reached(0).String()},
		"party":      {partyNames[:], PartyGateway.String(), Party(0).String()},
		"confidence": {confidenceNames[:], ConfidenceHigh.String(), Confidence(0).String()},
	} {
		t.Run(name, func(t *testing.T) {
			if c.zero != "unknown" {
				t.Errorf("zero value is %q, want unknown", c.zero)
			}
			if want := c.names[len(c.names)-1]; c.last != want {
				t.Errorf("last name %q, want %q: a constant and its name are out of step", c.last, want)
			}
			if slices.Contains(c.names, "") {
				t.Errorf("a name is empty: %q", c.names)
			}
		})
	}
	if got, want := Class(200).String(), "catalog.Class(200)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
