package signer

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// signedBase is the string that the cases of TestDiagnose change.
const signedBase = "POST\napplication/json\nmd5==\ntext/plain\nWed, 09 May 2018 13:30:29 GMT\n" +
	"x-ca-key:60022326\nx-ca-nonce:n-1\nx-ca-stage:RELEASE\nx-ca-timestamp:1525872629832\n/v1/items/?a=1&password=p#w&q=x y&z"

func refusal(server string) string {
	return "Invalid Signature, Server StringToSign:`" + strings.ReplaceAll(server, "\n", "#") + "`"
}

func TestDiagnose(t *testing.T) {
	change := func(pairs ...string) [2]string {
		return [2]string{signedBase, strings.NewReplacer(pairs...).Replace(signedBase)}
	}
	changeClient := func(pairs ...string) [2]string {
		return [2]string{strings.NewReplacer(pairs...).Replace(signedBase), signedBase}
	}
	replace := func(old, client, gateway string) [2]string {
		return [2]string{strings.Replace(signedBase, old, client, 1), strings.Replace(signedBase, old, gateway, 1)}
	}
	const hexDigest = "5d41402abc4b2a76b9719d911017c592"
	tests := []struct {
		name    string
		strings [2]string // the client's, the gateway's
		part    Part
		of      string
		code    string
	}{
		{"equal", change(), PartNone, "", "same-string"},
		{"method", change("POST", "GET"), PartMethod, "", "method-differs"},
		{"method that begins the same", change("POST", "POSTX"), PartMethod, "", "method-differs"},
		{"Accept added", replace("application/json", "", "*/*"), PartAccept, "", "accept-added"},
		{"Accept removed", change("application/json", ""), PartAccept, "", "accept-removed"},
		{"Accept rewritten", change("application/json", "*/*"), PartAccept, "", "accept-differs"},
		{"blanks in Accept", replace("application/json", "a/b,c/d", "a/b, c/d"), PartAccept, "", "standard-blanks"},
		{"MD5 changed", change("md5==", "other"), PartContentMD5, "", "md5-differs"},
		{"MD5 of the hexadecimal digest", changeClient("md5==", "NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTI="),
			PartContentMD5, "", "md5-of-hex"},
		{"MD5 in hexadecimal", changeClient("md5==", hexDigest), PartContentMD5, "", "md5-hex"},
		{"MD5 in hexadecimal, capitals", changeClient("md5==", strings.ToUpper(hexDigest)), PartContentMD5, "",
			"md5-hex"},
		{"SHA-256 for MD5", changeClient("md5==", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="), PartContentMD5, "",
			"md5-other-digest"},
		{"MD5 of an empty body", changeClient("md5==", "1B2M2Y8AsgTpgAmY7PhCfg=="), PartContentMD5, "",
			"md5-of-nothing"},
		{"MD5 removed", change("md5==", ""), PartContentMD5, "", "md5-removed"},
		{"MD5 added", changeClient("md5==", ""), PartContentMD5, "", "md5-added"},
		{"charset added", change("text/plain", "text/plain; charset=utf-8"), PartContentType, "", "type-charset"},
		{"charset signed, not sent", change("text/plain", "text/plain"), PartNone, "", "same-string"},
		{"another charset", replace("text/plain", "text/plain;charset=gbk", "text/plain;charset=utf-8"),
			PartContentType, "", "type-charset"},
		{"Content-Type in another case", change("text/plain", "Text/Plain"), PartContentType, "", "type-spelling"},
		{"blank in Content-Type", replace("text/plain", "text/plain;charset=UTF-8", "text/plain; charset=utf-8"),
			PartContentType, "", "type-spelling"},
		{"Content-Type set late", changeClient("text/plain", ""), PartContentType, "", "type-added"},
		{"Content-Type removed", change("text/plain", ""), PartContentType, "", "type-removed"},
		{"Content-Type replaced", change("text/plain", "text/html"), PartContentType, "", "type-differs"},
		{"boundary made late", replace("text/plain", "multipart/form-data; boundary=a",
			"multipart/form-data; boundary=b"), PartContentType, "", "type-boundary"},
		{"Date reformatted", change("Wed, 09 May 2018 13:30:29 GMT", "2018-05-09T13:30:29Z"), PartDate, "",
			"date-differs"},
		{"Date of another second", change("13:30:29", "13:30:30"), PartDate, "", "other-run"},
		{"Date removed", change("Wed, 09 May 2018 13:30:29 GMT", ""), PartDate, "", "date-removed"},
		{"Date added", changeClient("Wed, 09 May 2018 13:30:29 GMT", ""), PartDate, "", "date-added"},
		{"header stripped", change("RELEASE", ""), PartHeader, "x-ca-stage", "header-lost"},
		{"nonce of another run", change("n-1", "n-2"), PartHeader, "x-ca-nonce", "other-run"},
		{"header changed", change("RELEASE", "TEST"), PartHeader, "x-ca-stage", "header-differs"},
		{"header repeated", change("RELEASE", "RELEASE,TEST"), PartHeader, "x-ca-stage", "header-repeated"},
		{"header set late", changeClient("RELEASE", ""), PartHeader, "x-ca-stage", "header-set-late"},
		{"blank behind the key", changeClient("60022326", "60022326 "), PartHeader, "x-ca-key", "header-blanks"},
		{"blank behind the colon", changeClient("x-ca-key:", "x-ca-key: "), PartHeader, "x-ca-key",
			"header-blank-after-colon"},
		{"blank before the colon", changeClient("x-ca-key:", "x-ca-key :"), PartHeader, "x-ca-key",
			"header-blank-after-colon"},
		{"equals sign for the colon", changeClient("x-ca-key:", "x-ca-key="), PartHeader, "x-ca-key",
			"header-separator"},
		{"header not listed", change("x-ca-stage:RELEASE\n", ""), PartHeader, "x-ca-stage", "header-not-listed"},
		{"last header not listed", change("x-ca-timestamp:1525872629832\n", ""), PartHeader, "x-ca-timestamp",
			"header-not-listed"},
		{"header not signed", changeClient("x-ca-stage:RELEASE\n", ""), PartHeader, "x-ca-stage", "header-not-signed"},
		{"last header not signed", changeClient("x-ca-timestamp:1525872629832\n", ""), PartHeader, "x-ca-timestamp",
			"header-not-signed"},
		{"header name in another case", changeClient("x-ca-stage", "X-Ca-Stage"), PartHeader, "X-Ca-Stage",
			"header-name-case"},
		{"signature signed", changeClient("x-ca-stage", "x-ca-signature:abc=\nx-ca-stage"), PartHeader,
			"x-ca-signature", "signature-signed"},
		{"list of headers signed", changeClient("x-ca-stage", "X-Ca-Signature-Headers:x-ca-key\nx-ca-stage"),
			PartHeader, "X-Ca-Signature-Headers", "signature-signed"},
		{"Accept among the headers", changeClient("x-ca-key", "accept:application/json\nx-ca-key"), PartAccept, "",
			"standard-header-in-block"},
		{"timestamp in seconds", changeClient("1525872629832", "1525872629"), PartHeader, "x-ca-timestamp",
			"timestamp-unit"},
		{"trailing slash", change("items/", "items"), PartPath, "", "trailing-slash"},
		{"base path removed", change("/v1/items/", "/items/"), PartPath, "", "base-path"},
		{"base path added", change("/v1/items/", "/release/v1/items/"), PartPath, "", "base-path"},
		{"path decoded here", replace("items", "a b", "a%20b"), PartPath, "", "path-decoded-here"},
		{"path decoded there", replace("items", "a%20b", "a b"), PartPath, "", "path-decoded-there"},
		{"path decoded there but for slashes", replace("items", "a%2Fb%20", "a%2Fb "), PartPath, "",
			"path-decoded-there"},
		{"letter case of escapes", replace("items", "a%2fb", "a%2Fb"), PartPath, "", "path-escapes"},
		{"path encoded twice", replace("items", "a%2520b", "a%20b"), PartPath, "", "path-encoded-twice"},
		{"path in another letter case", change("items", "Items"), PartPath, "", "path-case"},
		{"double slash", change("/v1/items/", "/v1//items/"), PartPath, "", "path-slashes"},
		{"dots in the path", changeClient("/v1/items/", "/v1/x/../items/"), PartPath, "", "path-slashes"},
		{"path without its slash", changeClient("/v1/items/", "v1/items/"), PartPath, "", "slash-left-out"},
		{"host before the path", changeClient("/v1/items/", "api.example.com/v1/items/"), PartPath, "", "host-in-path"},
		{"URL without a scheme", changeClient("/v1/items/", "//api.example.com/v1/items/"), PartPath, "",
			"host-in-path"},
		{"whole URL", changeClient("/v1/items/", "HTTPS://api.example.com:8443/v1/items/"), PartPath, "", "whole-url"},
		{"path rewritten", change("/v1/items/", "/other"), PartPath, "", "path-differs"},
		{"path left out", changeClient("\n/v1/items/?a=1&password=p#w&q=x y&z", ""), PartPath, "", "path-left-out"},
		{"fragment", [2]string{"GET\n\n\n\n\nx-ca-key:1\n/p#top", "GET\n\n\n\n\nx-ca-key:1\n/p"}, PartPath, "",
			"fragment-signed"},
		{"parameter added at the end", change("&z", "&z&zz=1"), PartParameter, "zz", "parameter-not-signed"},
		{"parameter added", change("&q=", "&pz=1&q="), PartParameter, "pz", "parameter-not-signed"},
		{"parameters left out", changeClient("?a=1&password=p#w&q=x y&z", ""), PartParameter, "a",
			"parameters-left-out"},
		{"parameter missing", change("&q=x y", ""), PartParameter, "q", "parameter-not-there"},
		{"all parameters missing", change("?a=1&password=p#w&q=x y&z", ""), PartParameter, "a", "parameter-not-there"},
		{"parameters on a line of their own", changeClient("/?a=", "/\na="), PartPath, "", "query-on-own-line"},
		{"parameters unsorted", changeClient("a=1&password=p#w&q=x y&z", "z&q=x y&password=p#w&a=1"), PartParameter, "",
			"parameters-unsorted"},
		{"parameters joined by commas", changeClient("a=1&password=p#w&q=x y&z", "a=1,password=p#w,q=x y,z"),
			PartParameter, "", "parameters-separator"},
		{"parameters joined by nothing", changeClient("?a=1&password=p#w&q=x y&z", "a1passwordp#wqx yz"), PartParameter,
			"", "parameters-separator"},
		{"parameter changed", change("p#w", "other"), PartParameter, "password", "parameter-differs"},
		{"plus for a blank", change("x y", "x+y"), PartParameter, "q", "parameter-plus"},
		{"plus for a blank at the client", changeClient("x y", "x+y"), PartParameter, "q", "parameter-plus"},
		{"encoded twice", change("x y", "x%20y"), PartParameter, "q", "parameter-encoded-twice"},
		{"encoded value", changeClient("p#w", "p%23w"), PartParameter, "password", "parameter-encoded"},
		{"value encoded twice at the client", changeClient("p#w", "p%2523w"), PartParameter, "password",
			"parameter-encoded"},
		{"encoded name", changeClient("&z", "&%7A"), PartParameter, "z", "parameter-encoded"},
		{"equals sign of an empty value", change("&z", "&z="), PartParameter, "z", "parameter-empty-value"},
		{"value longer", change("a=1", "a=10"), PartParameter, "a", "parameter-differs"},
		{"value joined", change("a=1", "a=1,2"), PartParameter, "a", "parameter-repeated"},
		{"parameter signed twice", changeClient("a=1", "a=1&a=2"), PartParameter, "a", "parameter-repeated"},
		{"value trimmed", changeClient("a=1", "a=1 "), PartParameter, "a", "parameter-blanks"},
		{"value lost", change("a=1", "a="), PartParameter, "a", "parameter-value-lost"},
		{"value dropped by the client", changeClient("a=1", "a"), PartParameter, "a", "parameter-dropped"},
		{"value cut at its second equals sign", replace("x y", "YWJj", "YWJj=="), PartParameter, "q",
			"parameter-cut-at-equals"},
		{"value cut at a question mark", replace("x y", "http://x/", "http://x/?a=b"), PartParameter, "q",
			"parameter-cut-here"},
		{"value sent without encoding", replace("x y", "tom;jerry", "tom"), PartParameter, "q",
			"parameter-not-escaped"},
		{"HTML entity", replace("x y", "a&amp;b", "a&b"), PartParameter, "q", "parameter-html"},
		{"quotes", replace("x y", `"x"`, "x"), PartParameter, "q", "parameter-quoted"},
		{"letter case of a value", replace("x y", "True", "true"), PartParameter, "q", "parameter-case"},
		{"number", replace("x y", "1.0", "1"), PartParameter, "q", "parameter-number"},
		{"newline in a value before",
			[2]string{strings.Replace(signedBase, "p#w", "p\nw", 1),
				strings.NewReplacer("p#w", "p\nw", "x y", "other").Replace(signedBase)}, PartParameter, "q",
			"parameter-differs"},
		{"text that the header cannot hold", replace("x y", "张三", "??"), PartParameter, "q", "parameter-charset"},
		{"GBK", replace("x y", "\xd5\xc5", "张"), PartParameter, "q", "parameter-charset"},

		{"values not put in", replace("items", "{id}", "7"), PartPath, "", "path-template"},
		{"values not put in, of the console", replace("items", "[id]", "7"), PartPath, "", "path-template"},
		{"blank as plus in the path", replace("items", "a+b", "a%20b"), PartPath, "", "path-escapes"},
		{"empty parameter left out", changeClient("&z", ""), PartParameter, "", "parameter-empty-left-out"},
		{"null for no value", replace("x y", "null", ""), PartParameter, "q", "parameter-null"},
		{"JSON with other blanks", replace("x y", `{"a":1}`, `{"a": 1}`), PartParameter, "q", "parameter-json"},
		{"JSON in another order", replace("x y", `{"b":2,"a":1}`, `{"a":1,"b":2}`), PartParameter, "q",
			"parameter-json"},
		{"escaped letters", replace("x y", `\u5f20\/`, "张/"), PartParameter, "q", "parameter-json"},
		{"MD5 in the alphabet for URLs", replace("md5==", "-_8=", "+/8="), PartContentMD5, "", "md5-spelling"},
		{"MD5 without padding", replace("md5==", "md5", "md5=="), PartContentMD5, "", "md5-spelling"},
		{"another AppKey", replace("60022326", "60022327", "60022326"), PartHeader, "x-ca-key", "key-differs"},
		{"encoded header", replace("RELEASE", "a%2Fb", "a/b"), PartHeader, "x-ca-stage", "header-encoded"},
		{"letter case of a header", replace("RELEASE", "release", "RELEASE"), PartHeader, "x-ca-stage", "header-case"},
		{"header in another character set", replace("RELEASE", "\u5f20", "?"), PartHeader, "x-ca-stage",
			"header-charset"},
		{"timestamp as a date", changeClient("1525872629832", "2018-05-09T13:30:29Z"), PartHeader, "x-ca-timestamp",
			"timestamp-format"},
		{"headers in one line", changeClient("60022326\n", "60022326,", "n-1\n", "n-1,", "RELEASE\n", "RELEASE,"),
			PartHeader, "", "headers-joined"},
		{"two headers in one line", changeClient("60022326\n", "60022326&"), PartHeader, "", "headers-joined"},
		{"path first", [2]string{"POST\n/v1/items/?a=1&password=p#w&q=x y&z" +
			strings.TrimSuffix(strings.TrimPrefix(signedBase, "POST"), "\n/v1/items/?a=1&password=p#w&q=x y&z"),
			signedBase}, PartWhole, "", "path-not-last"},
		{"path before the headers",
			[2]string{"GET\n\n\n\n\n/p\nx-ca-key:1\nx-ca-stage:2", "GET\n\n\n\n\nx-ca-key:1\nx-ca-stage:2\n/p"},
			PartWhole, "", "path-not-last"},
		{"no method", changeClient("POST\n", ""), PartMethod, "", "line-left-out"},
		{"indented", [2]string{strings.ReplaceAll(signedBase, "\n", "\n    "), signedBase}, PartWhole, "",
			"lines-padded"},
		{"blanks behind lines", [2]string{strings.ReplaceAll(signedBase, "\n", " \n"), signedBase}, PartWhole, "",
			"lines-padded"},
		{"doubled line breaks", [2]string{strings.ReplaceAll(signedBase, "\n", "\n\n"), signedBase}, PartWhole, "",
			"line-breaks-doubled"},
		{"HTML line breaks", [2]string{strings.ReplaceAll(signedBase, "\n", "<br>"), signedBase}, PartWhole, "",
			"other-separator"},

		{"hash for line breaks", [2]string{strings.ReplaceAll(signedBase, "\n", "#"), signedBase}, PartWhole, "",
			"hash-for-newline"},
		{"hash for one line break", changeClient("RELEASE\n", "RELEASE#"), PartWhole, "", "hash-for-newline"},
		{"hash for the last line break", changeClient("\n/v1", "#/v1"), PartWhole, "", "hash-for-newline"},
		{"CR LF", [2]string{strings.ReplaceAll(signedBase, "\n", "\r\n"), signedBase}, PartWhole, "", "crlf"},
		{"CR LF in some lines", changeClient("POST\n", "POST\r\n", "RELEASE\n", "RELEASE\r\n"), PartWhole, "", "crlf"},
		{"CR", [2]string{strings.ReplaceAll(signedBase, "\n", "\r"), signedBase}, PartWhole, "", "carriage-return"},
		{"backslash and n", [2]string{strings.ReplaceAll(signedBase, "\n", `\n`), signedBase}, PartWhole, "",
			"backslash-n"},
		{"backslash, r, backslash, n", [2]string{strings.ReplaceAll(signedBase, "\n", `\r\n`), signedBase}, PartWhole,
			"", "backslash-n"},
		{"no line breaks", [2]string{strings.ReplaceAll(signedBase, "\n", ""), signedBase}, PartWhole, "",
			"no-line-breaks"},
		{"bars for line breaks", [2]string{strings.ReplaceAll(signedBase, "\n", "|"), signedBase}, PartWhole, "",
			"other-separator"},
		{"commas for line breaks", [2]string{strings.ReplaceAll(signedBase, "\n", ","), signedBase}, PartWhole, "",
			"other-separator"},
		{"encoded whole", [2]string{url.QueryEscape(signedBase), signedBase}, PartWhole, "", "encoded-string"},
		{"byte order mark", [2]string{"\ufeff" + signedBase, signedBase}, PartWhole, "", "byte-order-mark"},
		{"quotes around it", [2]string{`"` + signedBase + `"`, signedBase}, PartWhole, "", "quoted"},
		{"line break at the end", [2]string{signedBase + "\n", signedBase}, PartWhole, "", "newline-at-end"},
		{"line break at the start", [2]string{"\n" + signedBase, signedBase}, PartWhole, "", "newline-at-start"},
		{"method in lower case", changeClient("POST", "post"), PartMethod, "", "method-case"},
		{"request line", changeClient("POST", "POST /v1/items HTTP/1.1"), PartMethod, "", "request-line"},
		{"Accept left out", changeClient("application/json\n", ""), PartAccept, "", "value-left-out"},
		{"MD5 and its line left out",
			[2]string{strings.Replace(signedBase, "md5==\n", "", 1), strings.Replace(signedBase, "md5==", "", 1)},
			PartContentMD5, "", "line-left-out"},
		{"standard headers with names",
			changeClient("application/json", "Accept:application/json", "md5==", "Content-MD5: md5==", "text/plain",
				"Content-Type:text/plain", "Wed, ", "Date:Wed, "), PartAccept, "", "standard-header-named"},
		{"standard headers swapped", changeClient("application/json\nmd5==", "md5==\napplication/json"), PartWhole, "",
			"lines-swapped"},
		{"no standard headers", changeClient("application/json\nmd5==\ntext/plain\nWed, 09 May 2018 13:30:29 GMT\n",
			""), PartAccept, "", "value-left-out"},
		{"one line too many", changeClient("\nmd5==", "\n\nmd5=="), PartWhole, "", "surplus-line"},
		{"empty line before the path", changeClient("\n/v1", "\n\n/v1"), PartWhole, "", "surplus-line"},
		{"two empty lines before the headers", changeClient("x-ca-key", "\n\nx-ca-key"), PartWhole, "", "surplus-line"},
		{"no headers", changeClient("x-ca-key:60022326\nx-ca-nonce:n-1\nx-ca-stage:RELEASE\nx-ca-timestamp:1525872629832\n", ""), PartHeader, "", "no-header-block"},
		{"headers unsorted", changeClient("x-ca-key:60022326\nx-ca-nonce:n-1\n", "x-ca-nonce:n-1\nx-ca-key:60022326\n"),
			PartHeader, "x-ca-key", "headers-unsorted"},
		{"body behind the path", [2]string{signedBase + "\n{\"a\":1}", signedBase}, PartWhole, "", "body-signed"},
		{"RPC signature", [2]string{"GET&%2F&AccessKeyId%3Dk%26Action%3DX", signedBase}, PartWhole, "", "other-scheme"},
		{"another string", [2]string{"hello", signedBase}, PartWhole, "", "unrelated"},
		{"another request", [2]string{"GET\n\n\n\n\nX-Api:1\n/other?b=2", signedBase}, PartWhole, "", "unrelated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(tt.strings[0], refusal(tt.strings[1]))
			if !ok {
				t.Fatal("got no diagnosis")
			}
			first := d.Findings[0]
			if d.Part != tt.part || d.Name != tt.of || first.Code != tt.code || first.Part != tt.part ||
				first.Name != tt.of {
				t.Errorf("got %v %q %s: %s\nwant %v %q %s", d.Part, d.Name, first.Code, d.Comparison(), tt.part, tt.of,
					tt.code)
			}
			text, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range []string{"p#w", "p%23w", "60022326", "n-1", "x y", "张三", "1525872629832", "pw="} {
				if strings.Contains(d.String(), value) || strings.Contains(string(text), value) {
					t.Errorf("String or JSON shows %q: %s", value, d)
				}
			}
			if same := tt.code == "same-string"; same != strings.Contains(d.Comparison(), "AppSecret is wrong") {
				t.Errorf("the secret is blamed: %v, want %v", !same, same)
			}
			if strings.ContainsAny(d.String(), "\r\n\x00\x1b") {
				t.Errorf("got control characters in %q", d)
			}
		})
	}
}

// Inputs of people who build the string themselves, and what must be said.
func TestDiagnosisCases(t *testing.T) {
	data, err := os.ReadFile("testdata/diagnosis-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct{ Name, Signed, Server, Match, Never string }
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Cases) != 16 {
		t.Fatalf("got %d cases, %v, want 16", len(file.Cases), err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			d, ok := Diagnose(c.Signed, "Invalid Signature, Server StringToSign:`"+c.Server+"`")
			if !ok {
				t.Fatal("got no diagnosis")
			}
			var all strings.Builder
			all.WriteString(d.String())
			for _, f := range d.Findings {
				all.WriteString("\n" + f.String())
			}
			if !regexp.MustCompile("(?i)" + c.Match).MatchString(d.String()) {
				t.Errorf("got %s\nwant a match of %q in the first line", all.String(), c.Match)
			}
			if c.Never != "" && regexp.MustCompile("(?i)"+c.Never).MatchString(all.String()) {
				t.Errorf("got %s\nwant no match of %q", all.String(), c.Never)
			}
		})
	}
}

func TestDiagnoseWithoutNewlines(t *testing.T) {
	const signed = "GET\n\n\n\n\nx-ca-key:1\nx-ca-stage:A\n/p?q=1"
	tests := []struct {
		name, server string
		part         Part
		of           string
	}{
		{"equal", "GETx-ca-key:1x-ca-stage:A/p?q=1", PartNone, ""},
		{"Accept added", "GET*/*x-ca-key:1x-ca-stage:A/p?q=1", PartAccept, ""},
		{"header stripped", "GETx-ca-key:1x-ca-stage:/p?q=1", PartHeader, "x-ca-stage"},
		{"header not signed", "GETx-ca-key:1x-ca-stage:Ax-z:2/p?q=1", PartHeader, "x-z"},
		{"path", "GETx-ca-key:1x-ca-stage:A/other?q=1", PartPath, ""},
		{"parameter", "GETx-ca-key:1x-ca-stage:A/p?q=2", PartParameter, "q"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(signed, refusal(tt.server))
			if !ok || d.Part != tt.part {
				t.Fatalf("got %v, want %v %q", d, tt.part, tt.of)
			}
			if tt.of != "" && d.Name != tt.of {
				t.Errorf("got name %q, want %q: %v", d.Name, tt.of, d)
			}
		})
	}
}

func TestDiagnoseTranscodes(t *testing.T) {
	const signed = "GET\n\n\n\n\nx-ca-key:1\n/p?city=杭州&z=1"
	if d, ok := Diagnose(signed, refusal(mojibake(signed))); !ok || d.Part != PartNone || d.Truncated {
		t.Errorf("equal but for the character set: got %v, want equal", d)
	}
	other := strings.Replace(signed, "z=1", "z=2", 1)
	if d, ok := Diagnose(signed, refusal(mojibake(other))); !ok || d.Name != "z" {
		t.Errorf("another difference: got %v, want parameter z", d)
	}
}

// mojibake is s as UTF-8 that was read as ISO-8859-1.
func mojibake(s string) string {
	runes := make([]rune, 0, len(s))
	for _, c := range []byte(s) {
		runes = append(runes, rune(c))
	}
	return string(runes)
}

func TestDiagnoseTruncated(t *testing.T) {
	whole := refusal(signedBase)
	for _, n := range []int{len(whole) - 1, len(whole) - 10, len(whole) - 100} {
		d, ok := Diagnose(signedBase, whole[:n])
		equal := n == len(whole)-1 // only the backquote is missing
		if !ok || d.Part != PartNone || d.Truncated == equal {
			t.Errorf("cut at %d: got %v, truncated %v, want equal, truncated %v", n, d, ok && d.Truncated, !equal)
		}
	}
}

// What is closed in the path or in a parameter arrived whole: the gateway has no
// more, which is a difference and no cut.
func TestDiagnoseShorterIsNotTruncated(t *testing.T) {
	for _, tt := range []struct {
		name, signed, server string
		part                 Part
		of                   string
	}{
		{"trailing slash", "GET\n\n\n\n\n/orders/", "GET#####/orders", PartPath, ""},
		{"empty value", "GET\n\n\n\n\n/p?k=", "GET#####/p?k", PartParameter, "k"},
		{"shorter value", "GET\n\n\n\n\n/p?a=12", "GET#####/p?a=1", PartParameter, "a"},
		{"blank at the end", "GET\n\n\n\n\nx-ca-key:1\n/p?a=x y ", "GET#####x-ca-key:1#/p?a=x y", PartParameter, "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(tt.signed, "Invalid Signature, Server StringToSign:`"+tt.server+"`")
			if !ok || d.Part != tt.part || d.Name != tt.of || d.Truncated {
				t.Errorf("got %v %q, truncated %v; want %v %q, whole", d.Part, d.Name, d.Truncated, tt.part, tt.of)
			}
		})
	}
}

func TestDiagnoseTruncatedWithinACharacter(t *testing.T) {
	const signed = "GET\n\n\n\n\nx-ca-key:1\n/p?a=中文&b=3"
	garbled := mojibake("中文")
	for n := 1; n < len(garbled); n++ {
		d, ok := Diagnose(signed, "Invalid Signature, Server StringToSign:`GET#####x-ca-key:1#/p?a="+garbled[:n])
		if !ok || d.Part != PartNone || !d.Truncated {
			t.Errorf("cut after %d bytes: got %v, truncated %v; want equal, truncated", n, d.Part, d.Truncated)
		}
	}
}

// A server or a file can hold anything; nothing here is quadratic in it.
func TestDiagnoseHugeStrings(t *testing.T) {
	const size = 32 << 10
	start := time.Now()
	for _, unit := range []string{"#", "\n", "a:b#", "a:b\n", "&", "a=1&", "%41=&", "/", "?", "`", "\\n", "x", "\u00e6",
		"&amp;", "Accept:\n", "="} {
		long := strings.Repeat(unit, size/len(unit))
		for _, pair := range [][2]string{
			{long, signedBase}, {signedBase, long}, {long, long}, {signedBase + long, signedBase + long + "x"},
			{"GET\n\n\n\n\n" + long, "GET\n\n\n\n\n" + long + "/p"},
			{signedBase + "&" + long, signedBase[:len(signedBase)-2] + long},
		} {
			for _, message := range []string{refusal(pair[1]), strings.TrimSuffix(refusal(pair[1]), "`")} {
				if d, ok := Diagnose(pair[0], message); ok {
					checkDiagnosis(t, d)
				}
			}
		}
	}
	// 192 comparisons of 32 KiB or more: quadratic would be minutes.
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}
