package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

func (in *invocation) demoLine(c *demoCase) demoLine {
	line := demoLine{ID: c.entry.ID, Decision: c.result.decision()}
	e := c.result.failure
	if e == nil {
		return line
	}
	line.ID = e.Entry.ID
	line.Status, line.Code, line.Message = e.Status, string(e.Code), e.Message
	line.Class, line.Origin = e.Entry.Class.String(), e.Origin.String()
	line.Attempts, line.StopReason = len(e.Attempts), e.Stop.String()
	line.Meaning, line.Remedy = in.meaning(e.Entry), e.Entry.Remedy.In(in.lang)
	return line
}

// meaning is the meaning of a row, marked where nobody verified it.
func (in *invocation) meaning(e catalog.Entry) string {
	if e.ID == catalog.UnknownID || e.Verified() {
		return e.Meaning.In(in.lang)
	}
	return e.Meaning.In(in.lang) + in.t(" (unverified)", "（未验证）")
}

// demoWide is the table with all columns, for wide terminals and files.
func (in *invocation) demoWide(cases []*demoCase) {
	rows := [][]string{{
		in.t("STATUS", "状态码"), in.t("CODE OR TEXT", "错误码或文本"), in.t("CLASS", "类别"), in.t("DECISION", "处理"),
		in.t("ATTEMPTS", "次数"), in.t("TIME", "用时"), in.t("MEANING", "含义"), in.t("REMEDY", "解决办法"),
	}}
	for _, c := range cases {
		line := in.demoLine(c)
		name := line.Code
		if name == "" {
			// The string to sign would make the column very wide.
			name, _, _ = strings.Cut(cmp.Or(line.Message, line.ID), ", Server StringToSign")
		}
		decision := in.t("failed fast: ", "不重试：") + line.StopReason
		if line.Decision == retried {
			n := strconv.Itoa(line.Attempts - 1)
			decision = in.t("retried "+n+" times: ", "重试 "+n+" 次：") + line.StopReason
		}
		rows = append(rows, []string{
			strconv.Itoa(line.Status), name, line.Class, decision, strconv.Itoa(line.Attempts),
			milliseconds(c.result.took), line.Meaning, line.Remedy,
		})
	}
	table(in.stdout, in.colour, rows, func(row, column int) colour {
		if column != 3 {
			return ""
		}
		return demoColour(cases[row-1])
	})
}

// demoGroups is the table that fits a terminal: a section a class, a line a row.
func (in *invocation) demoGroups(cases []*demoCase) {
	// By class, since that is what decides; the order is that of the enum.
	for class := catalog.ClassUnknown; class <= catalog.ClassCircuitOpen; class++ {
		var group []*demoCase
		for _, c := range cases {
			if c.entry.Class == class {
				group = append(group, c)
			}
		}
		if len(group) > 0 {
			in.demoGroup(class, group)
		}
	}
}

// demoGroup prints a class. What all its rows have in common stands in the title,
// so that there is more room for what they mean.
func (in *invocation) demoGroup(class catalog.Class, group []*demoCase) {
	ids, outcomes, same := 0, 0, true
	for _, c := range group {
		outcome := in.demoOutcome(c)
		ids, outcomes = max(ids, len(c.entry.ID)), max(outcomes, width(outcome))
		same = same && outcome == in.demoOutcome(group[0])
	}
	title := fmt.Sprintf("%s (%d)", paint(in.colour, bold, class.String()), len(group))
	if same {
		title += ": " + paint(in.colour, demoColour(group[0]), in.demoOutcome(group[0]))
	}
	fmt.Fprintln(in.stdout, title)
	for _, c := range group {
		head := fmt.Sprintf("  %3d%s %-*s  ", c.entry.Status, doubt(c.entry), ids, c.entry.ID)
		used := len(head)
		if !same {
			outcome := in.demoOutcome(c)
			head += paint(in.colour, demoColour(c), outcome) + strings.Repeat(" ", outcomes-width(outcome)+2)
			used += outcomes + 2
		}
		fmt.Fprintln(in.stdout, strings.TrimRight(head+in.shortened(c.entry.Meaning.In(in.lang), columns-used), " "))
	}
}

// doubt marks a row that nobody verified, where there is no room for the word.
func doubt(e catalog.Entry) string {
	if e.Verified() {
		return " "
	}
	return "?"
}

// doubtText says what the mark means.
func (in *invocation) doubtText() string {
	return in.t(`"?" marks rows that no official page or program confirmed.`, "“?” 表示该行没有官方文档或程序佐证。")
}

func demoColour(c *demoCase) colour {
	switch {
	case c.fault() != "":
		return red
	case c.result.decision() == retried:
		return green
	}
	return yellow
}

// demoOutcome is what was done, in a few letters: how often it was sent again,
// or why not.
func (in *invocation) demoOutcome(c *demoCase) string {
	if c.result.failure == nil {
		return "?"
	}
	if n := len(c.result.failure.Attempts); n > 1 {
		return fmt.Sprintf(in.t("%d retries", "重试 %d 次"), n-1)
	}
	return c.result.failure.Stop.String()
}

// demoTotals says what the run has proven.
func (in *invocation) demoTotals(rows, posts []*demoCase, wrong int, took time.Duration) {
	n := map[string]int{}
	unverified := 0
	generations := map[catalog.Generation]bool{}
	for _, c := range rows {
		n[c.result.decision()]++
		generations[c.entry.Generation] = true
		if !c.entry.Verified() {
			unverified++
		}
	}
	sentAgain, most := 0, 0
	for _, c := range posts {
		if c.result.decision() == retried {
			sentAgain++
		}
		most = max(most, c.result.executed)
	}
	in.paragraph(fmt.Sprintf(in.t(
		"%d rows of %d generations: %d retried, %d failed fast, %d decided otherwise than the catalog says; %d "+
			"unverified; %.1fs",
		"共 %d 行，%d 类网关：重试 %d，不重试 %d，与目录建议不符 %d；未验证 %d；%.1fs"),
		len(rows), len(generations), n[retried], n[failedFast], wrong, unverified, took.Seconds()))
	in.paragraph(fmt.Sprintf(in.t(
		"The %d rows that a retry can cure were sent with POST too: retried where the answer proves that the backend "+
			"was not reached (%d), else not, because it may have run (%d).",
		"可由重试解决的 %d 行另以 POST 发送：应答能证明未到达后端的重试（%d 行），其余后端可能已执行，不重试（%d 行）。"),
		len(posts), sentAgain, len(posts)-sentAgain))
	if wrong == 0 {
		in.paragraph(fmt.Sprintf(in.t(
			"Proven on this machine: every error was recognised by what the gateway sends, every decision is the "+
				"catalog's, and no backend ran more than %d time for one POST.",
			"本机实测：每个错误都按网关的应答被识别，每个处理都与目录一致，每个 POST 后端至多执行 %d 次。"), most))
	}
	edition := catalog.CurrentEdition()
	in.paragraph(fmt.Sprintf(in.t("Catalog edition %s (%s). --wide shows remedies and times. ",
		"错误目录版本 %s（%s）。--wide 显示解决办法与用时。"), edition.Name, edition.Date) + in.doubtText())
}
