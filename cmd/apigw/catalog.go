package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// catalogRow is one row as --json prints it. The fields of --tsv are the same,
// in this order.
type catalogRow struct {
	ID                string   `json:"id"`
	Generation        string   `json:"generation"`
	Origin            string   `json:"origin"`
	Code              string   `json:"code"`
	Status            int      `json:"status"`
	Place             string   `json:"place"`
	Mark              string   `json:"mark"`
	Message           string   `json:"message"`
	Aliases           []string `json:"aliases"`
	Class             string   `json:"class"`
	ServerSide        bool     `json:"server_side"`
	Retry             string   `json:"retry"`
	Wait              string   `json:"wait"`
	BackendReached    string   `json:"backend_reached"`
	BackendReachedWhy string   `json:"backend_reached_why"`
	Fixer             string   `json:"fixer"`
	Meaning           string   `json:"meaning"`
	Remedy            string   `json:"remedy"`
	Confidence        string   `json:"confidence"`
	MessageConfidence string   `json:"message_confidence"`
	Source            string   `json:"source"`
}

// catalogColumns are named as in the file of the catalog. A status of 0 is any;
// meaning and remedy are in the language of the command.
const catalogColumns = "id\tgeneration\torigin\tcode\tstatus\tplace\tmark\tmessage\taliases\tclass\tserver_side\t" +
	"retry\twait\tbackend_reached\tbackend_reached_why\tfixer\t" +
	"meaning\tremedy\tconfidence\tmessage_confidence\tsource"

func runCatalog(in *invocation, args []string) int {
	fs := in.flags("catalog")
	className := fs.String("class", "", "")
	generationName := fs.String("generation", "", "")
	asJSON := fs.Bool("json", false, "")
	asTSV := fs.Bool("tsv", false, "")
	asMarkdown := fs.Bool("markdown", false, "")
	wide := fs.Bool("wide", false, "")
	if _, ok, code := in.parse(fs, args, 0); !ok {
		return code
	}
	formats := 0
	for _, f := range []bool{*asJSON, *asTSV, *asMarkdown} {
		if f {
			formats++
		}
	}
	if formats > 1 {
		return in.misuse("--json, --tsv and --markdown exclude each other; give one")
	}
	class, ok := catalog.ParseClass(*className)
	if *className != "" && (!ok || class == catalog.ClassUnknown) {
		names := namesUpTo(catalog.ClassCircuitOpen)
		return in.misuse("there is no class %q%s; the classes are %s", shorten(*className),
			in.didYouMean(*className, names), strings.Join(names, ", "))
	}
	generation, ok := catalog.ParseGeneration(*generationName)
	if *generationName != "" && (!ok || generation == catalog.GenerationUnknown) {
		names := namesUpTo(catalog.GenerationFC)
		return in.misuse("there is no generation %q%s; there are %s", shorten(*generationName),
			in.didYouMean(*generationName, names), strings.Join(names, ", "))
	}
	var rows []catalog.Entry
	for e := range catalog.All() {
		if (class == catalog.ClassUnknown || e.Class == class) && (generation == catalog.GenerationUnknown ||
			e.Generation == generation) {
			rows = append(rows, e)
		}
	}
	switch {
	case *asJSON:
		for _, e := range rows {
			in.json(in.catalogRow(e))
		}
	case *asTSV:
		in.catalogTSV(rows)
	case *asMarkdown:
		in.catalogMarkdown(rows)
	case *wide:
		in.catalogWide(rows)
		in.catalogTotals(rows)
	default:
		in.catalogGroups(rows)
		in.catalogTotals(rows)
	}
	return exitOK
}

// namesUpTo lists the names of an enum but "unknown".
func namesUpTo[E interface {
	~uint8
	fmt.Stringer
}](last E) (names []string) {
	for e := E(1); e <= last; e++ {
		names = append(names, e.String())
	}
	return names
}

func (in *invocation) catalogRow(e catalog.Entry) catalogRow {
	row := catalogRow{
		ID: e.ID, Generation: e.Generation.String(), Origin: e.Origin.String(), Code: string(e.Code), Status: e.Status,
		Place: e.Place.String(), Mark: e.Mark, Message: e.Message,
		Aliases: e.Aliases(), Class: e.Class.String(), ServerSide: e.ServerSide, Retry: e.Retry.String(),
		BackendReached: e.Reached.String(), BackendReachedWhy: e.ReachedWhy, Fixer: e.Fixer.String(),
		Meaning: e.Meaning.In(in.lang),
		Remedy:  e.Remedy.In(in.lang), Confidence: e.Confidence.String(), Source: e.Source,
	}
	if row.Aliases == nil {
		row.Aliases = []string{}
	}
	if e.Wait > 0 {
		row.Wait = e.Wait.String()
	}
	if e.Message != "" {
		row.MessageConfidence = e.MessageConfidence.String()
	}
	return row
}

// catalogTSV prints one line a row. No field of the catalog holds a tab.
func (in *invocation) catalogTSV(rows []catalog.Entry) {
	fmt.Fprintln(in.stdout, catalogColumns)
	for _, e := range rows {
		r := in.catalogRow(e)
		fmt.Fprintln(in.stdout, strings.Join([]string{
			r.ID, r.Generation, r.Origin, r.Code, strconv.Itoa(r.Status), r.Place, r.Mark, r.Message,
			strings.Join(r.Aliases, "|"), r.Class, strconv.FormatBool(r.ServerSide), r.Retry, r.Wait, r.BackendReached,
			r.BackendReachedWhy, r.Fixer, r.Meaning, r.Remedy, r.Confidence, r.MessageConfidence, r.Source,
		}, "\t"))
	}
}

// catalogMarkdown prints the table of the README. What Markdown would read as
// its own is escaped: the messages hold backticks and angle brackets.
func (in *invocation) catalogMarkdown(rows []catalog.Entry) {
	fmt.Fprintln(in.stdout, in.t(
		"| code or text | status | class | retry | backend reached | meaning | remedy |\n| --- | --- | --- | --- | --- "+
			"| --- | --- |",
		"| 错误码或文本 | 状态码 | 类别 | 重试 | 到达后端 | 含义 | 解决办法 |\n| --- | --- | --- | --- | --- | --- | --- |"))
	escape := strings.NewReplacer("|", `\|`, "`", "\\`", "<", "&lt;").Replace
	for _, e := range rows {
		name := escape(e.Message)
		if e.Code != "" {
			name = strings.TrimSpace("**" + string(e.Code) + "** " + name)
		}
		if name == "" {
			name = "(" + e.ID + ")" // it shows in headers or in nothing
		}
		fmt.Fprintf(in.stdout, "| %s | %s | %s | %s | %s | %s | %s |\n",
			name, in.statusText(e), e.Class, e.Retry, e.Reached, escape(in.meaning(e)), escape(e.Remedy.In(in.lang)))
	}
}

// statusText is the status of a row, which can be any.
func (in *invocation) statusText(e catalog.Entry) string {
	if e.Status == 0 {
		return in.t("any", "任意")
	}
	return strconv.Itoa(e.Status)
}
