package apigw_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/policies"
)

var updateDocs = flag.Bool("update", false, "write into the pages what follows from the catalog")

// docBlock is a fenced block of a page.
type docBlock struct {
	page, language string
	line           int
	lines          []string
}

func (b docBlock) name() string { return fmt.Sprintf("%s:%d", filepath.Base(b.page), b.line) }

// docPages returns the text of all pages by their path.
func docPages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"README*.md", "docs/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pages[file] = string(text)
		}
	}
	if len(pages) < 3 {
		t.Fatalf("got %d pages, want the README in two languages and docs", len(pages))
	}
	return pages
}

// docBlocks returns the fenced blocks of a page.
func docBlocks(t *testing.T, page, text string) (blocks []docBlock) {
	t.Helper()
	open := false
	for i, line := range strings.Split(text, "\n") {
		fence, ok := strings.CutPrefix(line, "```")
		switch {
		case ok && !open:
			if fence == "" {
				t.Errorf("%s:%d: a block without a language: no test can tell what it is", page, i+1)
			}
			blocks = append(blocks, docBlock{page: page, language: fence, line: i + 1})
			open = true
		case ok:
			open = false
		case open:
			last := &blocks[len(blocks)-1]
			last.lines = append(last.lines, line)
		}
	}
	if open {
		t.Errorf("%s: a block is not closed", page)
	}
	return blocks
}

func allDocBlocks(t *testing.T, language string) (blocks []docBlock) {
	t.Helper()
	for page, text := range docPages(t) {
		for _, b := range docBlocks(t, page, text) {
			if b.language == language {
				blocks = append(blocks, b)
			}
		}
	}
	return blocks
}

// docCommand runs lines of the pages in a folder.
type docCommand struct{ bin, folder string }

func (c docCommand) run(t *testing.T, line string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(line, "go run ./cmd/apigw", "apigw"))
	cmd.Dir = c.folder
	cmd.Env = c.environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c docCommand) environment() []string {
	return append(os.Environ(), "PATH="+c.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C", "NO_COLOR=1",
		"APIGW_APP_SECRET="+gatewaytest.DefaultAppSecret, "APIGW_APP_CODE="+gatewaytest.DefaultAppCode)
}

// TestDocsCommands runs every command apigw of the pages, and those that make
// the tables of docs/catalog.md.
func TestDocsCommands(t *testing.T) {
	c := docCommand{bin: t.TempDir(), folder: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", c.bin, "./cmd/apigw").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Run("run", func(t *testing.T) { testDocLines(t, c) })
	t.Run("serve", func(t *testing.T) { testDocServers(t, c) })
	t.Run("catalog", func(t *testing.T) { testCatalogPage(t, c) })
}

// testDocLines runs lines as they stand, but that "apigw call" meets a fake
// gateway under https://api.example.com. In the folder is the policy file that
// docs/policies.md shows.
func testDocLines(t *testing.T, c docCommand) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer server.Close()
	for _, b := range allDocBlocks(t, "json") {
		if text := strings.Join(b.lines, "\n"); b.page == filepath.Join("docs", "policies.md") {
			if err := os.WriteFile(filepath.Join(c.folder, "policy.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := map[string]bool{}
	for _, b := range allDocBlocks(t, "sh") {
		for _, line := range b.lines {
			if !strings.HasPrefix(line, "go run ./cmd/apigw") && !strings.HasPrefix(line, "apigw ") || seen[line] {
				continue
			}
			if serves(line) {
				t.Errorf("%s: %s: a command that serves belongs into a text block; see testDocServers", b.name(), line)
				continue
			}
			seen[line] = true
			t.Run(line, func(t *testing.T) {
				if strings.Contains(line, "apigw call ") {
					line = strings.ReplaceAll(line, "https://api.example.com", server.URL)
				}
				if out, err := c.run(t, line); err != nil || out == "" {
					t.Errorf("%s: got %v, want success and an output; the output is %q", b.name(), err, out)
				}
			})
		}
	}
	if len(seen) == 0 {
		t.Error("got no command to run, want those of the pages")
	}
}

// testCatalogPage keeps the tables of docs/catalog.md equal to what the command
// prints. A marker "<!-- apigw catalog ... -->" names the command, and
// "<!-- end -->" ends its output.
func testCatalogPage(t *testing.T, c docCommand) {
	const page = "docs/catalog.md"
	text := docPages(t)[page]
	marker := regexp.MustCompile(`(?s)(<!-- (apigw catalog [^\n]*) -->\n)(.*?)(<!-- end -->)`)
	found := 0
	want := marker.ReplaceAllStringFunc(text, func(section string) string {
		found++
		m := marker.FindStringSubmatch(section)
		out, err := c.run(t, m[2])
		if err != nil {
			t.Fatalf("%s: %v: %s", m[2], err, out)
		}
		return m[1] + "\n" + out + "\n" + m[4]
	})
	switch {
	case found == 0:
		t.Fatalf("got no table in %s, want some", page)
	case want == text:
	case !*updateDocs:
		t.Fatalf("%s is not what the catalog says: run go generate ./catalog", page)
	default:
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDocsJSONIsAccepted(t *testing.T) {
	for _, b := range allDocBlocks(t, "json") {
		t.Run(b.name(), func(t *testing.T) {
			text := []byte(strings.Join(b.lines, "\n"))
			var err error
			if strings.Contains(string(text), `"routes"`) {
				_, err = gatewaytest.ParseScript(text, b.page)
			} else {
				_, err = policies.Parse(b.page, text)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

var docLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestDocsLinksResolve(t *testing.T) {
	pages := docPages(t)
	for page, text := range pages {
		for _, m := range docLink.FindAllStringSubmatch(text, -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if fragment != "" && !hasHeading(pages[file], fragment) {
				t.Errorf("%s links to %s: no such heading", page, m[1])
			}
		}
	}
}

// hasHeading looks for the heading whose anchor is fragment, as GitHub makes
// them of plain words.
func hasHeading(text, fragment string) bool {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			if strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-") == fragment {
				return true
			}
		}
	}
	return false
}

// TestReadmesAgree: both languages show the same code and tables of the same
// size.
func TestReadmesAgree(t *testing.T) {
	const english, chinese = "README.md", "README.zh-CN.md"
	pages := docPages(t)
	en, zh := docBlocks(t, english, pages[english]), docBlocks(t, chinese, pages[chinese])
	if len(en) != len(zh) {
		t.Fatalf("got %d blocks in %s, want %d as in %s", len(zh), chinese, len(en), english)
	}
	for i := range en {
		if en[i].language != zh[i].language {
			t.Errorf("%s is %s, want %s as %s", zh[i].name(), zh[i].language, en[i].language, en[i].name())
		}
		if en[i].language != "text" && plainCode(en[i].lines) != plainCode(zh[i].lines) {
			t.Errorf("%s differs from %s", zh[i].name(), en[i].name())
		}
	}
	if got, want := tableSizes(pages[chinese]), tableSizes(pages[english]); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("tables of %s: got columns by row %v, want %v", chinese, got, want)
	}
}

// tableSizes returns the columns of each row of each table.
func tableSizes(text string) (sizes []int) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			sizes = append(sizes, strings.Count(line, "|")-1)
		}
	}
	return sizes
}

// readmeCounts finds in each README the edition of the catalog and how many
// rows it has: all, verified, unverified.
var readmeCounts = map[string]*regexp.Regexp{
	"README.md":       regexp.MustCompile(`edition (\S+) with (\d+) rows\. (\d+) were read [^;]*; (\d+)\s+rest`),
	"README.zh-CN.md": regexp.MustCompile(`版本为 ([^，]+)，共 (\d+) 行。(\d+) 行[^；]*；(\d+) 行`),
}

// TestReadmesCountTheCatalog: the figures in the text are those of the table.
func TestReadmesCountTheCatalog(t *testing.T) {
	verified := 0
	for e := range catalog.All() {
		if e.Verified() {
			verified++
		}
	}
	counts := fmt.Sprint(catalog.CurrentEdition().Name, " ", catalog.Len(), " ", verified, " ", catalog.Len()-verified)
	pages := docPages(t)
	for page, sentence := range readmeCounts {
		places := sentence.FindStringSubmatchIndex(pages[page])
		if places == nil {
			t.Errorf("%s has no sentence like %v", page, sentence)
			continue
		}
		text := pages[page]
		for i, want := range slices.Backward(strings.Fields(counts)) {
			from, to := places[2*i+2], places[2*i+3]
			if got := text[from:to]; got != want && !*updateDocs {
				t.Errorf("%s: got %s in the sentence of %v, want %s: run go generate ./catalog", page, got, sentence,
					want)
			}
			text = text[:from] + want + text[to:]
		}
		if *updateDocs && text != pages[page] {
			if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDocsNameEveryStopReason: docs/retry-decisions.md has a row for each.
func TestDocsNameEveryStopReason(t *testing.T) {
	text := docPages(t)[filepath.Join("docs", "retry-decisions.md")]
	for stop := apigw.StopNotRetryable; !strings.HasPrefix(stop.String(), "StopReason("); stop++ {
		if !strings.Contains(text, "\n| `"+stop.String()+"` |") {
			t.Errorf("docs/retry-decisions.md has no row for %v", stop)
		}
	}
}

// TestDocsDropInIsMeasured: the code that docs/drop-in.md shows for a client is
// the code that the tests of integration ran.
func TestDocsDropInIsMeasured(t *testing.T) {
	text := docPages(t)[filepath.Join("docs", "drop-in.md")]
	results, err := os.ReadFile("integration/RESULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	clients := 0
	for line := range strings.Lines(string(results)) {
		cells := strings.Split(line, " | ")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], "`") {
			continue
		}
		clients++
		if !strings.Contains(text, "| "+cells[1]+" |") {
			t.Errorf("docs/drop-in.md does not have %s", cells[1])
		}
	}
	if clients < 12 {
		t.Errorf("got %d clients from integration/RESULTS.md, want 12 or more", clients)
	}
}
