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

func (in *invocation) diagnosisSummary(d *signer.Diagnosis, trimmed bool) *diagnosisSummary {
	summary := &diagnosisSummary{Part: d.Part.String(), Name: d.Name, Cause: in.findingText(d.Findings[0], trimmed),
		Truncated: d.Truncated}
	for _, f := range d.Findings {
		summary.Findings = append(summary.Findings, diagnosisFinding{f.Code, f.Part.String(), f.Name, len(f.Signed),
			len(f.Gateway), in.findingText(f, trimmed)})
	}
	return summary
}

// findingText is a finding in the language of the user. Where the strings are
// the same but for what was trimmed off the file, the secret is not to blame
// before that is known.
func (in *invocation) findingText(f signer.Finding, trimmed bool) string {
	if trimmed && f.Code == "same-string" {
		return in.t("both sides have the same string, as far as a file can tell: it has a line break at its end or a byte "+
			"order mark, which editors add; if the program signs that too, leave it out; if not, the keys differ: compare "+
			"AppSecret, its environment and the algorithm, and look for a blank or newline around it",
			"两端的待签名串相同，但文件末尾有换行或开头有 BOM，编辑器常会添加；如果程序把它也签了进去，请去掉；"+
				"否则说明密钥不同：核对 AppSecret、所属环境与算法，并检查首尾是否有空格或换行")
	}
	return in.t(f.Sentence()+"; "+f.Fix(), f.SentenceZH()+"；"+f.FixZH())
}

// writeDiagnosis shows all differences and then both strings, whose values the
// user has in any case.
func (in *invocation) writeDiagnosis(d *signer.Diagnosis, trimmed bool) {
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
			fmt.Fprintf(in.stdout, "\n%s%s", where, in.findingText(f, trimmed))
		}
		fmt.Fprint(in.stdout, "\n"+comparison)
		return
	}
	first := d.Findings[0]
	comparison = strings.Replace(comparison, first.Sentence()+"; "+first.Fix(), in.findingText(first, trimmed), 1)
	fmt.Fprintf(in.stdout, "\n%s", comparison)
}
