package main

import (
	"fmt"
	"strings"

	"github.com/apigw-go/apigw/signer"
)

// diagnosisSummary is the diagnosis as --json prints it: all findings, the cause
// first. It holds no value of either string.
type diagnosisSummary struct {
	Part      string             `json:"part"`
	Name      string             `json:"name"`
	Cause     string             `json:"cause"`
	Truncated bool               `json:"truncated"`
	Findings  []diagnosisFinding `json:"findings"`
}

// diagnosisFinding is one difference. The code is a stable word for the cause.
type diagnosisFinding struct {
	Code         string `json:"code"`
	Part         string `json:"part"`
	Name         string `json:"name"`
	SignedBytes  int    `json:"signed_bytes"`
	GatewayBytes int    `json:"gateway_bytes"`
	Cause        string `json:"cause"`
}

func (in *invocation) diagnosisSummary(d *signer.Diagnosis) *diagnosisSummary {
	summary := &diagnosisSummary{Part: d.Part.String(), Name: d.Name, Cause: in.findingText(d.Findings[0]),
		Truncated: d.Truncated}
	for _, f := range d.Findings {
		summary.Findings = append(summary.Findings, diagnosisFinding{f.Code, f.Part.String(), f.Name, len(f.Signed),
			len(f.Gateway), in.findingText(f)})
	}
	return summary
}

// findingText is a finding in the language of the user.
func (in *invocation) findingText(f signer.Finding) string {
	return in.t(f.Sentence()+"; "+f.Fix(), f.SentenceZH()+"；"+f.FixZH())
}

// writeDiagnosis shows all differences and then both strings, whose values the
// user has in any case.
func (in *invocation) writeDiagnosis(d *signer.Diagnosis) {
	comparison := d.Comparison()
	if in.lang == "zh" {
		// The strings follow behind the sentences.
		_, strs, _ := strings.Cut(comparison, "\n\n")
		comparison = "\n" + strings.NewReplacer("signed:\n", "本地签名：\n", "\ngateway:\n", "\n网关：\n").Replace(strs)
		for _, f := range d.Findings {
			where := ""
			if f.Part != signer.PartNone && f.Part < signer.PartWhole {
				where = strings.TrimSpace(f.Part.String()+" "+printable(f.Name)) + "："
			}
			fmt.Fprintf(in.stdout, "\n%s%s", where, in.findingText(f))
		}
		fmt.Fprint(in.stdout, "\n"+comparison)
		return
	}
	fmt.Fprintf(in.stdout, "\n%s", comparison)
}
