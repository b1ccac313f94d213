package signer

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// A difference is the first part in which two strings to sign differ.
type difference struct {
	at             int // bytes of the gateway's string that agree
	part           Part
	name           string
	signed, server string
	cause          string
}

// compare walks through the gateway's string along the fields of the client's.
// It never splits the gateway's string at "#" first, since values may hold
// that character.
func compare(fields []field, server string) difference {
	end := "#"
	if len(fields) > 0 && !strings.HasPrefix(server, fields[0].text+"#") && strings.Count(server, "#") < int(PartDate) {
		end = "" // an older gateway, which leaves the newlines out
	}
	rest := server
	for i, f := range fields {
		text := strings.ReplaceAll(f.text, "\n", end) // in the value of a parameter
		if f.part.line() {
			text += end
		}
		after, ok := strings.CutPrefix(rest, text)
		switch {
		case ok && f.part.line(), ok && f.part == PartPath && (after == "" || after[0] == '?'), ok && f.part == PartParameter && (after == "" || after[0] == '&'):
			rest = after
			continue
		}
		d, found := difference{}, false
		if end == "" {
			d, found = compareInserted(fields, i, rest)
		}
		switch {
		case found:
		case f.part == PartParameter:
			d = compareParameter(f, rest)
		case f.part == PartHeader, f.part == PartPath && headerName(rest, end) != "":
			d = compareHeader(fields, i, rest, end)
		case f.part == PartPath:
			d = comparePath(f, rest)
		default:
			d = compareLine(fields, i, rest, end)
		}
		d.at = len(server) - len(rest)
		return d
	}
	// All the fields of the client are there, and the gateway has more.
	d := difference{at: len(server) - len(rest), part: PartParameter, server: rest}
	if len(rest) > 0 && (rest[0] == '?' || rest[0] == '&') {
		d.name, d.server, _ = strings.Cut(rest[1:], "=")
		d.name, _, _ = strings.Cut(d.name, "&")
		d.server, _, _ = strings.Cut(d.server, "&")
	}
	d.cause = notSignedCause
	return d
}

// extent returns what the gateway has in the place of line i: the text up to
// the place where the client's next line follows, or up to the end of the line.
func extent(fields []field, i int, rest, end string) string {
	if i+1 < len(fields) {
		next := fields[i+1].text
		if fields[i+1].part.line() {
			next += end
		}
		if at := strings.Index(rest, end+next); at >= 0 && next != "" {
			return rest[:at]
		}
	}
	if end != "" {
		rest, _, _ = strings.Cut(rest, end)
	}
	return rest
}

// compareInserted looks, where there are no newlines, for text in front of
// field i. It belongs to the field before, which agreed as far as it goes, or
// to the first of the empty ones before, which agreed with nothing at all.
func compareInserted(fields []field, i int, rest string) (d difference, found bool) {
	text := fields[i].text
	if i == 0 || text == "" || fields[i].part == PartParameter || strings.HasPrefix(rest, "/") || headerName(rest, "") != "" {
		return d, false
	}
	inserted, _, found := strings.Cut(rest, text)
	if !found || inserted == "" {
		return d, false
	}
	i--
	for i > 0 && fields[i].text == "" && fields[i-1].text == "" {
		i--
	}
	f := fields[i]
	d = difference{part: f.part, name: f.name, signed: f.value, server: f.value + inserted}
	if f.part == PartHeader {
		d.cause = headerCause(d.signed, d.server)
	} else {
		d.cause = lineCause(d.part, d.signed, d.server)
	}
	return d, true
}

// compareLine names the difference in method, Accept, Content-MD5,
// Content-Type or Date.
func compareLine(fields []field, i int, rest, end string) difference {
	f := fields[i]
	value := extent(fields, i, rest, end)
	return difference{part: f.part, signed: f.value, server: value, cause: lineCause(f.part, f.value, value)}
}

func lineCause(part Part, signed, server string) string {
	switch part {
	case PartMethod:
		return "a redirect or a proxy changed the method after signing"
	case PartAccept:
		switch {
		case signed == "":
			return "an HTTP client or a proxy added Accept after signing; set Accept on the request"
		case server == "":
			return "a proxy removed Accept"
		}
		return "Accept was set again after signing, or a proxy rewrote it"
	case PartContentMD5:
		digest, err := base64.StdEncoding.DecodeString(signed)
		switch {
		case signed == "":
			return "Content-MD5 was set after signing"
		case server == "":
			return "Content-MD5 was signed, but did not arrive"
		case err == nil && len(digest) == 32:
			return "Content-MD5 was made of the hexadecimal digest; encode its 16 raw bytes in base64"
		}
		return "the body was changed or compressed after signing"
	case PartContentType:
		return contentTypeCause(signed, server)
	}
	if server == "" {
		return "Date was signed, but did not arrive"
	}
	return "a layer below the signer set Date or wrote it in another format"
}

func contentTypeCause(signed, server string) string {
	rest, longer := strings.CutPrefix(server, signed)
	switch {
	case signed == "":
		return "Content-Type was set after signing; set it on the request"
	case server == "":
		return "a proxy removed Content-Type"
	case hasPrefixFold(signed, "multipart/") && hasPrefixFold(server, "multipart/"):
		return "the boundary of the multipart body was made after signing"
	case longer && strings.HasPrefix(strings.TrimSpace(rest), ";"):
		return "a parameter such as charset was added to Content-Type after signing"
	case strings.EqualFold(strings.ReplaceAll(signed, " ", ""), strings.ReplaceAll(server, " ", "")):
		return "Content-Type was written in another letter case or with other blanks after signing"
	}
	return "Content-Type was set again after signing, or a proxy rewrote it"
}

// headerName returns the name of the header line that text begins with, ""
// where it begins with something else.
func headerName(text, end string) string {
	if end != "" {
		text, _, _ = strings.Cut(text, end)
	}
	name, _, ok := strings.Cut(text, ":")
	if !ok || !isToken(name) {
		return ""
	}
	return name
}

// compareHeader names the difference where the client has header line i, or
// its path, and the gateway another line.
func compareHeader(fields []field, i int, rest, end string) difference {
	f := fields[i]
	name := headerName(rest, end)
	d := difference{part: PartHeader, name: f.name, signed: f.value}
	switch {
	case f.part == PartHeader && name == f.name:
		d.server = strings.TrimPrefix(extent(fields, i, rest, end), name+":")
		d.cause = headerCause(f.value, d.server)
	case f.part == PartHeader && strings.EqualFold(name, f.name):
		d.server = strings.TrimPrefix(extent(fields, i, rest, end), name+":")
		d.cause = "the name was signed in another letter case than the gateway uses; sign header names in lower case"
	case f.part == PartHeader && (name == "" || name > f.name):
		// The lines are sorted: a later name shows that this line is missing.
		d.cause = "it was signed, but is not listed in X-Ca-Signature-Headers, or the list is not separated by commas"
	default:
		d.name, d.signed = name, ""
		if end == "" {
			end = "/" // a guess: the path is what follows the last header
		}
		d.server, _, _ = strings.Cut(rest[len(name)+1:], end)
		d.cause = "it is listed in X-Ca-Signature-Headers, but was not signed; sign exactly the headers that are listed"
	}
	return d
}

func headerCause(signed, server string) string {
	switch {
	case server == "":
		return "it is listed in X-Ca-Signature-Headers, but did not arrive: a proxy removed it, or its name is misspelled"
	case signed == "":
		return "it was signed as empty and set later"
	case trim(signed) == trim(server), strings.TrimSpace(signed) == server:
		return "blanks around the value were signed, which HTTP removes; trim it, above all AppKey"
	case strings.HasPrefix(server, signed) && strings.HasPrefix(strings.TrimSpace(server[len(signed):]), ","):
		return "the header was sent more than once; send one value"
	}
	return "its value was changed after signing, by a repeated attempt that was not signed again or by a proxy"
}

func comparePath(f field, rest string) difference {
	path, _, _ := strings.Cut(rest, "?")
	d := difference{part: PartPath, signed: f.value, server: path}
	decodedSigned, err1 := url.PathUnescape(f.value)
	decodedServer, err2 := url.PathUnescape(path)
	switch {
	case strings.TrimSuffix(f.value, "/") == strings.TrimSuffix(path, "/"):
		d.cause = "a trailing slash was added or removed"
	case err1 == nil && err2 == nil && decodedSigned == decodedServer,
		err1 == nil && decodedSigned == path, err2 == nil && decodedServer == f.value:
		d.cause = "the path is percent-encoded on one side and decoded, or encoded differently, on the other; see DecodedPath, or keep paths plain ASCII"
	case path != "" && strings.HasSuffix(f.value, path), f.value != "" && strings.HasSuffix(path, f.value):
		d.cause = "a proxy added or removed a base path in front"
	default:
		d.cause = "a proxy or a redirect rewrote the path"
	}
	return d
}

const (
	notSignedCause = "the gateway has a parameter that was not signed: the form was not merged into the parameters, its Content-Type was not recognised as a form, or a proxy added it"
	notThereCause  = "it was signed, but the gateway does not have it: a proxy removed it, or the gateway did not take the body for a form"
)

// compareParameter names the difference where the client has parameter f.
func compareParameter(f field, rest string) difference {
	d := difference{part: PartParameter, name: f.name, signed: f.value}
	if rest == "" {
		d.cause = notThereCause
		return d
	}
	piece, _, _ := strings.Cut(rest[1:], "&")
	name, value, _ := strings.Cut(piece, "=")
	switch {
	case name == f.name:
		d.server = value
		d.cause = parameterCause(f.text[1:], piece, f.value, value)
	case unescape(name, Rules{}) == f.name, unescape(f.name, Rules{}) == name:
		d.server = value
		d.cause = encodingCause
	case name < f.name:
		d.name, d.signed, d.server = name, "", value
		d.cause = notSignedCause
	default:
		d.cause = notThereCause
	}
	return d
}

const encodingCause = "it is URL-encoded on one side and decoded on the other, or encoded twice; names and values are signed decoded"

func parameterCause(signedPiece, serverPiece, signed, server string) string {
	switch {
	case signed == "" && server == "" && signedPiece != serverPiece:
		return "an empty value is written \"k=\" on one side and \"k\" on the other; Higress writes \"k=\", the cloud gateway \"k\""
	case strings.ReplaceAll(signed, "+", " ") == strings.ReplaceAll(server, "+", " "):
		return "\"+\" is a blank on one side and a plus on the other; send %20 and %2B"
	case unescape(signed, Rules{}) == server, unescape(server, Rules{}) == signed:
		return encodingCause
	case strings.TrimSpace(signed) == strings.TrimSpace(server):
		return "blanks around the value were removed on one side"
	case server == "":
		return "it arrived without its value"
	case signed == "":
		return "its value was taken for empty; some signers drop 0 and false"
	case strings.HasPrefix(signed, server+","), strings.HasPrefix(server, signed+","):
		return "the parameter is repeated; only its first value is signed"
	case strings.Contains(server, "?") && !strings.Contains(signed, "?"):
		return "the text cannot be represented in the header, or it was signed in another character set than UTF-8"
	}
	return "its value was changed after signing, or it stands in the query and in the form with two values"
}
