package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// lockedBuffer is written by the requests of a server.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// startGateway runs the command until end is called, which returns all that it
// printed, and its exit code.
func startGateway(t *testing.T, ctx context.Context, args ...string) (url string, end func() outcome) {
	t.Helper()
	r, w := io.Pipe()
	var stdout bytes.Buffer
	stderr := new(lockedBuffer)
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"gateway", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w, stderr, func(string) string { return "" })
		w.Close()
	}()
	lines := bufio.NewScanner(io.TeeReader(r, &stdout))
	for lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), " at "); ok && url == "" {
			url = after
		}
		if strings.HasPrefix(lines.Text(), "interrupt") {
			break
		}
	}
	if url == "" {
		t.Fatalf("the gateway did not start: exit %d, %s", <-done, stderr.b.String())
	}
	return url, func() outcome {
		for lines.Scan() {
		}
		exit := <-done
		stderr.mu.Lock()
		defer stderr.mu.Unlock()
		return outcome{stdout.String(), stderr.b.String(), exit}
	}
}

// get returns the status of an answer, 0 without one. Each call has its own
// connection, since net/http would repeat a GET on one that it reused.
func get(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestGatewayServesAndStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx)
	if status := get(t, url+"/errors/D503CB"); status != 503 {
		t.Errorf("row: got status %d, want 503", status)
	}
	if status := get(t, url+"/unsigned?password=t0p"); status != 400 {
		t.Errorf("unsigned request: got status %d, want 400", status)
	}
	cancel()
	got := end()
	if got.exit != exitOK {
		t.Errorf("exit: got %d, want 0", got.exit)
	}
	compareGolden(t, "gateway", evenOut("--- stdout\n"+got.stdout+"--- stderr\n"+got.stderr))
}

func TestGatewayFollowsItsScript(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx, "--script", "testdata/script.json")
	for _, want := range []int{503, 0, 200} {
		if status := get(t, url+"/flaky"); status != want {
			t.Errorf("got status %d, want %d", status, want)
		}
	}
	if status := get(t, url+"/errors/D503CB"); status == 503 {
		t.Error("got a row of the catalog, want only the routes of the script")
	}
	cancel()
	got := end()
	compareGolden(t, "gateway-script", evenOut("--- stdout\n"+got.stdout+"--- stderr\n"+got.stderr))
}

func TestGatewayEndsAtASignal(t *testing.T) {
	_, end := startGateway(t, t.Context())
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := end(); got.exit != exitOK || !strings.Contains(got.stdout, "stopped: 0 requests") {
		t.Errorf("got exit %d, %q; want 0 and the counts", got.exit, got.stdout)
	}
}

func TestGatewayRefusesABusyAddress(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx)
	got := runCommand([]string{"gateway", "--listen", strings.TrimPrefix(url, "http://")}, "", nil)
	if got.exit != exitMisuse || !strings.Contains(got.stderr, "picks a free port") {
		t.Errorf("got exit %d, %s; want 2 and the mend", got.exit, got.stderr)
	}
	cancel()
	end()
}
