// Commands that make the same call again. They name no secret: the proxy signs,
// and the program reads its secret from the environment.
export function asCurl(call, config) {
  const words = ["curl", "-i"];
  if (call.method !== "GET") words.push("-X", quote(call.method));
  for (const h of shownHeaders(call)) words.push("-H", quote(`${h.name}: ${h.value}`));
  if (call.request_body.text) words.push("--data-binary", quote(call.request_body.text));
  words.push(quote(config.proxy + call.target));
  return words.join(" ");
}

export function asGo(call, config) {
  const host = config.upstream.replace(/^https?:\/\//, "");
  const body = call.request_body.text ? `strings.NewReader(${goString(call.request_body.text)})` : "nil";
  const lines = [
    "package main", "", "import (", '\t"fmt"', '\t"io"', '\t"log"', '\t"net/http"', '\t"os"',
    ...(body === "nil" ? [] : ['\t"strings"']), "", '\t"github.com/apigw-go/apigw"', '\t"github.com/apigw-go/apigw/signer"', ")", "",
    "func main() {", "\tclient := &http.Client{Transport: &apigw.Transport{Base: &signer.Signer{",
    '\t\tAppKey:    os.Getenv("APIGW_APP_KEY"),', '\t\tAppSecret: signer.Secret(os.Getenv("APIGW_APP_SECRET")),',
    `\t\tHosts:     []string{${goString(host)}},`, "\t}}}",
    `\treq, err := http.NewRequest(${goString(call.method)}, ${goString(config.upstream + call.target)}, ${body})`,
    "\tif err != nil {", "\t\tlog.Fatal(err)", "\t}",
    ...shownHeaders(call).map((h) => `\treq.Header.Add(${goString(h.name)}, ${goString(h.value)})`),
    "\tresp, err := client.Do(req)", "\tif err != nil {", "\t\tlog.Fatal(err)", "\t}", "\tdefer resp.Body.Close()",
    "\tif failure, ok := apigw.FromResponse(resp); ok {", "\t\tlog.Print(failure)", "\t}",
    "\tbody, _ := io.ReadAll(resp.Body)", "\tfmt.Println(resp.Status, string(body))", "}", "",
  ];
  return lines.join("\n");
}

const skipped = new Set(["Host", "Content-Length", "Connection", "User-Agent", "Accept-Encoding"]);
const shownHeaders = (call) => call.request.filter((h) => !h.masked && !skipped.has(h.name));
const quote = (s) => "'" + s.replaceAll("'", "'\\''") + "'";
const goString = (s) => JSON.stringify(s).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
