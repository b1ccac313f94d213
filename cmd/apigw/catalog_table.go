package main

import (
	"fmt"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// catalogGroups prints the list that fits a terminal: a section a class. What does
// not fit is left to --wide, to the other formats and to explain.
func (in *invocation) catalogGroups(rows []catalog.Entry) {
	for class := catalog.ClassUnknown; class <= catalog.ClassCircuitOpen; class++ {
		var group []catalog.Entry
		for _, e := range rows {
			if e.Class == class {
				group = append(group, e)
			}
		}
		if len(group) > 0 {
			in.catalogGroup(class, group)
		}
	}
}

// catalogGroup prints a class. Where all its rows have the same advice, it stands
// in the title.
func (in *invocation) catalogGroup(class catalog.Class, group []catalog.Entry) {
	ids, same := 0, true
	for _, e := range group {
		ids = max(ids, len(e.ID))
		same = same && e.Retry == group[0].Retry
	}
	title := fmt.Sprintf("%s (%d)", paint(in.colour, bold, class.String()), len(group))
	if same {
		title += in.t(": retry ", "：重试 ") + group[0].Retry.String()
	}
	fmt.Fprintln(in.stdout, title)
	for _, e := range group {
		status := in.statusText(e)
		line := fmt.Sprintf("  %s%s%s %-*s  ", strings.Repeat(" ", max(0, 4-width(status))), status, doubt(e), ids,
			e.ID)
		used := width(line)
		if !same {
			line += fmt.Sprintf("%-7s  ", e.Retry)
			used += 9
		}
		line += in.shortened(e.Meaning.In(in.lang), columns-used)
		if !e.Verified() {
			line = paint(in.colour, faint, line)
		}
		fmt.Fprintln(in.stdout, strings.TrimRight(line, " "))
	}
}

// catalogWide prints the list with more columns, for wide terminals.
func (in *invocation) catalogWide(rows []catalog.Entry) {
	cells := [][]string{{
		in.t("ID", "编号"), in.t("STATUS", "状态码"), in.t("CLASS", "类别"), in.t("RETRY", "重试"),
		in.t("BACKEND RAN", "后端执行"), in.t("CONFIDENCE", "可信度"), in.t("MEANING", "含义"),
	}}
	for _, e := range rows {
		cells = append(cells, []string{
			e.ID, in.statusText(e), e.Class.String(), e.Retry.String(), e.Reached.String(), e.Confidence.String(),
			in.meaning(e),
		})
	}
	table(in.stdout, in.colour, cells, func(row, column int) colour {
		if !rows[row-1].Verified() {
			return faint
		}
		return ""
	})
}

func (in *invocation) catalogTotals(rows []catalog.Entry) {
	unverified := 0
	for _, e := range rows {
		if !e.Verified() {
			unverified++
		}
	}
	edition := catalog.CurrentEdition()
	in.paragraph(fmt.Sprintf(in.t("%d of %d rows, %d unverified; edition %s (%s). ", "共 %d / %d 行，未验证 %d；版本 %s（%s）。"),
		len(rows), catalog.Len(), unverified, edition.Name, edition.Date) + in.doubtText())
}
