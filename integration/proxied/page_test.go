package proxied

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/chromedp/chromedp"
)

// browser opens the page of a proxy in a headless Chromium.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := needs(t, "chromium")
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // last: Chromium writes until it ends
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1400, 860), chromedp.UserDataDir(dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "en-US"),
	)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// until waits for a script to be true.
func until(script string) chromedp.Action {
	return chromedp.Poll(script, nil, chromedp.WithPollingInterval(20*time.Millisecond),
		chromedp.WithPollingTimeout(20*time.Second))
}

// press sends a key to the page, not to a field in it.
func press(key string) chromedp.Action {
	return chromedp.Tasks{chromedp.Focus("#list", chromedp.ByID), chromedp.KeyEvent(key)}
}

const shownRows = `document.querySelectorAll(".row:not([hidden])").length`

func call(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// scene is a gateway with something to see, a proxy before it, and five calls.
func scene(t *testing.T) (*gatewaytest.Gateway, proxy) {
	gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{
		{Pattern: "/"},
		{Pattern: "/flaky", Script: []gatewaytest.Outcome{{Error: "D503BB", Times: 2}}},
		{Pattern: "/quota", Script: []gatewaytest.Outcome{{Error: "B403MQ", Times: -1}}},
		{Pattern: "/markup/", Script: []gatewaytest.Outcome{{
			Status: 403, Times: -1, Header: http.Header{"X-Ca-Error-Message": {"<img src=x onerror=\"document.title='owned'\">"}},
		}}},
	}}
	server := gatewaytest.NewServer(gateway)
	t.Cleanup(server.Close)
	p := start(t, server, "--inspect", "127.0.0.1:0", "--bodies")
	call(t, "GET", p.address+"/v1/weather?city=hz&token=tops3cret", "")
	call(t, "GET", p.address+"/flaky", "")
	call(t, "GET", p.address+"/quota", "")
	call(t, "GET", p.address+"/markup/<script>document.title='owned'</script>", "")
	call(t, "PUT", p.address+"/v1/orders", `{"name":"瓶"}`)
	return gateway, p
}

func TestPageListsFiltersAndOpens(t *testing.T) {
	_, p := scene(t)
	ctx := browser(t)
	var title, address, detail, html string
	run(t, ctx,
		chromedp.Navigate(p.page), until(shownRows+" === 5"),
		chromedp.Location(&address), chromedp.Title(&title),
		chromedp.SendKeys("#filter", "flaky", chromedp.ByID), until(shownRows+" === 1"),
		press("j"), press("\r"), until(`document.querySelectorAll(".timeline rect.fill-bad").length === 2`),
		chromedp.Text("#detail", &detail, chromedp.ByID),
	)
	if strings.Contains(address, token) {
		t.Errorf("the token is in the address bar: %s", address)
	}
	if title != "apigw proxy" {
		t.Errorf("title %q: something of the network ran as a script", title)
	}
	for _, want := range []string{"GET /flaky 200", "1. 503 D503BB", "3. 200"} {
		if !strings.Contains(detail, want) {
			t.Errorf("%q is not in the detail\n%s", want, detail)
		}
	}
	run(t, ctx,
		chromedp.Evaluate(`document.querySelector('[data-scope=failed]').click()`, nil),
		chromedp.Evaluate(`(() => { const f = document.getElementById("filter"); f.value = ""; f.dispatchEvent(new Event("input")); })()`, nil),
		until(shownRows+" === 2"), chromedp.OuterHTML("html", &html, chromedp.ByQuery), chromedp.Title(&title))
	if strings.Contains(html, "tops3cret") || title != "apigw proxy" {
		t.Errorf("a secret, or a script of the network, is in the page (title %q)", title)
	}
}

func TestPageReplays(t *testing.T) {
	gateway, p := scene(t)
	before := gateway.Counts().Executed
	ctx := browser(t)
	run(t, ctx,
		chromedp.Navigate(p.page), until(shownRows+" === 5"),
		chromedp.SendKeys("#filter", "orders", chromedp.ByID), until(shownRows+" === 1"),
		press("j"), press("\r"), until(`!document.getElementById("detail").hidden`),
		press("r"), until(shownRows+" === 2"),
		chromedp.Click("#do-edit", chromedp.ByID), until(`document.getElementById("edit").open`),
		chromedp.Evaluate(`document.querySelector("#edit [name=body]").value = '{"name":"other"}'`, nil),
		chromedp.Click("#edit-send", chromedp.ByID), until(shownRows+" === 3"),
		until(`document.getElementById("detail").textContent.includes('{"name":"other"}')`),
	)
	run(t, ctx, until(`![...document.querySelectorAll(".row")].some((r) => r.textContent.includes("running"))`))
	if got, want := gateway.Counts().Executed-before, 2; got != want {
		t.Errorf("the backend ran %d times more, want %d", got, want)
	}
}

func TestPageExplainsARefusedSignature(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Apps: []gatewaytest.App{{AppKey: gatewaytest.DefaultAppKey,
		AppSecret: "another-secret"}}})
	defer server.Close()
	p := start(t, server, "--inspect", "127.0.0.1:0")
	call(t, "GET", p.address+"/v1/x?city=hz", "")
	ctx := browser(t)
	var detail string
	run(t, ctx,
		chromedp.Navigate(p.page), until(shownRows+" === 1"), press("j"), press("\r"),
		until(`!document.getElementById("detail").hidden`), chromedp.Text("#detail", &detail, chromedp.ByID))
	if !strings.Contains(strings.ToLower(detail), "refused signature") || !strings.Contains(detail, "secret") {
		t.Errorf("no diagnosis in\n%s", detail)
	}
}

// Ten thousand calls: the page shows the latest 500 and answers to a key
// meanwhile.
func TestPageOutlivesManyCalls(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer server.Close()
	p := start(t, server, "--inspect", "127.0.0.1:0")
	ctx := browser(t)
	run(t, ctx, chromedp.Navigate(p.page), until(`document.getElementById("live").textContent.includes("live")`),
		// The longest time in which the page could not run.
		chromedp.Evaluate(`window.longest = 0; (() => { let last = performance.now(); setInterval(() => {
			const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; }, 10); })()`, nil))
	done := make(chan error, 8)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	for worker := range 8 {
		go func() {
			for n := range 1250 {
				resp, err := client.Get(fmt.Sprintf("%s/v1/%d/%d", p.address, worker, n))
				if err != nil {
					done <- err
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var longest float64
	run(t, ctx, until(shownRows+" === 500"), press("j"),
		until(`document.querySelectorAll("[aria-selected=true].row").length === 1`),
		chromedp.Evaluate("window.longest", &longest))
	t.Logf("longest time without a turn: %.0f ms", longest)
	if longest > 5000 {
		t.Errorf("the page stood still for %.0f ms", longest)
	}
}

// A page of another origin, and one whose name points to this machine, get
// nothing: neither by reading nor by making a call.
func TestForeignPagesAreRefused(t *testing.T) {
	gateway, p := scene(t)
	before := gateway.Counts().Received
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!doctype html><title>evil</title>")
	}))
	defer evil.Close()
	page, _, _ := strings.Cut(p.page, "?")
	ctx := browser(t)
	var got []string
	attack := fmt.Sprintf(`(async () => {
		const seen = [];
		for (const [url, options] of [
			[%q, {}], [%q, { mode: "no-cors" }], [%q, { method: "POST", body: "x", mode: "no-cors" }],
			[%q, { credentials: "include" }], [%q, { method: "POST", credentials: "include", body: "{}", mode: "no-cors" }],
		]) {
			try { const r = await fetch(url, options); seen.push(r.type === "opaque" ? "opaque" : r.status + " " + (await r.text())); } catch { seen.push("refused"); }
		}
		return seen;
	})()`, p.address+"/steal", p.address+"/blind", p.address+"/post", page+"api/config", page+"api/calls/1/replay")
	run(t, ctx, chromedp.Navigate(p.page), until(shownRows+" === 5"), // the browser has the cookie
		chromedp.Navigate(evil.URL), chromedp.EvaluateAsDevTools(attack, &got, awaitPromise))
	for n, result := range got {
		if result != "refused" && result != "opaque" {
			t.Errorf("attack %d got %s", n, result)
		}
	}
	if got := gateway.Counts().Received - before; got != 0 {
		t.Errorf("%d calls were made for a foreign page", got)
	}
	// DNS rebinding: the name of the attacker, the address of the proxy.
	for _, address := range []string{p.address + "/", page + "api/config"} {
		req, _ := http.NewRequest(http.MethodGet, address, nil)
		req.Host = "evil.example"
		req.Header.Set("X-Apigw-Token", token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: got %d, want 421", address, resp.StatusCode)
		}
	}
}

// The screenshots of the docs. Written with UPDATE_SCREENSHOTS=1 only, since
// fonts differ from machine to machine.
func TestScreenshots(t *testing.T) {
	_, p := scene(t)
	ctx := browser(t)
	for _, theme := range []string{"light", "dark"} {
		var picture []byte
		run(t, ctx,
			chromedp.Navigate(p.page), until(shownRows+" === 5"),
			chromedp.Evaluate(fmt.Sprintf("document.documentElement.dataset.theme = %q", theme), nil),
			chromedp.SendKeys("#filter", "flaky", chromedp.ByID), until(shownRows+" === 1"),
			press("j"), press("\r"), until(`document.querySelectorAll(".timeline rect").length > 0`),
			chromedp.Evaluate(`(() => { const f = document.getElementById("filter"); f.value = ""; f.dispatchEvent(new Event("input")); })()`, nil),
			until(shownRows+" === 5"), chromedp.CaptureScreenshot(&picture))
		if len(picture) < 10_000 {
			t.Errorf("%s: a picture of %d bytes", theme, len(picture))
		}
		if os.Getenv("UPDATE_SCREENSHOTS") != "" {
			if err := os.WriteFile(filepath.Join("..", "..", "docs", "images", "proxy-"+theme+".png"), picture,
				0o644); err != nil {
				t.Error(err)
			}
		}
	}
}
