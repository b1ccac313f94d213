package main

import (
	"flag"
	"strings"

	"github.com/apigw-go/apigw/signer"
)

// signingRules are the flags that say how a gateway reads a signature. They
// have the names of the fields of signer.Rules.
type signingRules struct {
	algorithm string
	headers   string
	rules     signer.Rules
}

func ruleFlags(fs *flag.FlagSet) *signingRules {
	r := new(signingRules)
	fs.StringVar(&r.algorithm, "algorithm", "", "")
	fs.StringVar(&r.headers, "signed-headers", "", "")
	fs.BoolVar(&r.rules.Higress, "higress", false, "")
	fs.BoolVar(&r.rules.HigressParameters, "higress-parameters", false, "")
	fs.BoolVar(&r.rules.DecodedPath, "decoded-path", false, "")
	fs.BoolVar(&r.rules.KeepSlashes, "keep-slashes", false, "")
	fs.BoolVar(&r.rules.QueryFirst, "query-first", false, "")
	fs.BoolVar(&r.rules.RawFormNames, "raw-form-names", false, "")
	return r
}

// given reports whether any of them was set.
func (r *signingRules) given() bool {
	return r.algorithm != "" || r.headers != "" || r.rules != signer.Rules{}
}

// apply sets a signer. word names the algorithm where the flag does not, as
// -H 'X-Ca-Signature-Method: HmacSHA1' does.
func (r *signingRules) apply(in *invocation, s *signer.Signer, word string) error {
	if r.algorithm != "" {
		word = r.algorithm
	}
	algorithm, ok := signer.ParseAlgorithm(word)
	if !ok {
		return in.errorf("--algorithm %q is not known; give HmacSHA256 or HmacSHA1", shorten(word))
	}
	if r.rules.KeepSlashes && !r.rules.DecodedPath {
		return in.errorf("--keep-slashes says which escapes a decoded path keeps; give --decoded-path too")
	}
	s.Algorithm = algorithm
	s.Higress, s.HigressParameters = r.rules.Higress, r.rules.HigressParameters
	s.QueryFirst, s.RawFormNames = r.rules.QueryFirst, r.rules.RawFormNames
	s.DecodedPath, s.KeepSlashes = r.rules.DecodedPath, r.rules.KeepSlashes
	if r.headers != "" {
		for name := range strings.SplitSeq(r.headers, ",") {
			s.SignedHeaders = append(s.SignedHeaders, strings.TrimSpace(name))
		}
	}
	return nil
}
