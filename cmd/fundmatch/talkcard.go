package main

import (
	"strconv"
	"strings"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// What only a manager reads: the brief about the customer, what raises a doubt, the talk
// card of a product. A customer's answer does not carry these parts, so that nothing here
// asks for whom it writes.

// brief writes what the manager must know before he speaks.
func (c *card) brief(b *fundmatchv1.ManagerBrief) {
	if b == nil {
		return
	}
	c.line(0, "")
	c.line(0, "谈之前")
	c.line(1, "客户　%s", strings.Join(standing(b), "　"))
	c.contact(b.GetContact())
	for _, word := range b.GetConsents() {
		answer := "不同意"
		if word.GetGranted() {
			answer = "同意"
		}
		c.line(1, "授权　%s：%s（%s）", named(purposeNames(), word.GetPurpose()), answer, word.GetAt())
	}
	if l := b.GetLicence(); l.GetManagerId() != "" {
		c.line(1, "客户经理　%s　资格%s%s", l.GetManagerId(), named(licenceNames(), l.GetState()), withDay("，至 ", l.GetUntil()))
	}
	if b.GetDelivery() != "" || b.GetDeliveryReason() != "" {
		c.line(1, "触达　【%s】%s", named(deliveryNames(), b.GetDelivery()), b.GetDeliveryReason())
	}
	if len(b.GetFacts()) > 0 {
		c.line(1, "事实")
		c.evidence(2, b.GetFacts())
	}
}

// standing says who the customer is.
func standing(b *fundmatchv1.ManagerBrief) []string {
	level := "没有等级"
	if b.GetRiskLevel() != "" {
		level = b.GetRiskLevel()
	}
	out := []string{level + "（" + named(levelStateNames(), b.GetLevelState()) + withDay("，测评 ", b.GetAssessedOn()) + withDay("，到期 ", b.GetExpiresOn()) + "）"}
	if b.GetInvestorType() == "PROFESSIONAL" {
		out = append(out, "专业投资者")
	} else {
		out = append(out, "普通投资者")
	}
	if b.GetCompany() {
		out = append(out, "企业")
	}
	if b.GetElder() {
		out = append(out, "按年长客户保护")
	}
	return out
}

func (c *card) contact(a *fundmatchv1.ContactAllowance) {
	if a == nil {
		return
	}
	parts := []string{"可以联系"}
	if !a.GetAllowed() {
		parts[0] = "不联系：" + named(contactNames(), a.GetReason())
		if day := a.GetNotBefore(); day != "" {
			parts = append(parts, day+" 以前不联系")
		}
	}
	if a.GetAllowed() && a.GetCap() > 0 { // how often he may still be called is idle where he may not
		parts = append(parts, count(a.GetWindowDays())+" 天内还可联系 "+count(a.GetRemaining())+" 次，上限 "+count(a.GetCap())+" 次")
	}
	if day := a.GetLastOn(); day != "" {
		parts = append(parts, "上次联系 "+day)
	}
	if n := a.GetOpenComplaints(); n > 0 {
		parts = append(parts, "未了结的投诉 "+count(n)+" 件")
	}
	c.line(1, "联系　%s", strings.Join(parts, "；"))
}

// doubt writes what raises a doubt and how to speak of it.
func (c *card) doubt(o *fundmatchv1.Objection) {
	if o.GetLikelihoodBand() != "" {
		parts := []string{"可能性" + named(bandNames(), o.GetLikelihoodBand())}
		if len(o.GetTrigger()) > 0 {
			causes := make([]string, len(o.GetTrigger()))
			for i, code := range o.GetTrigger() {
				causes[i] = named(triggerNames(), code)
			}
			parts = append(parts, "起因 "+strings.Join(causes, "、"))
		}
		if n := o.GetRaised(); n > 0 {
			parts = append(parts, "客户提过 "+count(n)+" 次")
		}
		if o.GetSilenced() {
			parts = append(parts, "不再提起")
		}
		c.line(2, "%s", strings.Join(parts, "；"))
	}
	c.textLine(2, "怎么说：", o.GetAdvice())
	c.evidence(2, o.GetGrounds())
	c.evidence(2, o.GetManagerEvidence())
}

func (c *card) followUp(f *fundmatchv1.FollowUp) {
	if f == nil {
		return
	}
	way := "下一步是"
	if f.GetDirection() == "BACKWARD" {
		way = "先回到"
	}
	c.line(2, "跟进：%s，%s“%s”。%s", f.GetOn(), way, named(nodeNames(), f.GetKeyNode()), f.GetText())
}

// talkCard writes what belongs beside the product.
func (c *card) talkCard(t *fundmatchv1.TalkCard) {
	if t == nil {
		return
	}
	c.line(1, "卡　【谈话卡】")
	c.textLine(2, "匹配意见：", t.GetOpinion())
	c.line(2, "风险等级：%s", strings.Join(grades(t), "，"))
	c.costs(t)
	if len(t.GetWorstYear()) > 0 {
		c.line(2, "最差的十二个月：")
		c.evidence(3, t.GetWorstYear())
	}
	c.textLine(2, "交付的产品资料概要：版本 ", t.GetKeyFactsVersion())
	c.textLine(2, "发行人：", t.GetIssuerLine())
	if t.GetRecordingRequired() {
		c.line(2, "下单前须录音录像（双录）。")
	}
	c.list(2, "必须说：", mandatory(t))
	c.list(2, "不能说：", t.GetAvoid())
	if p := t.GetPeer(); p != nil {
		c.line(2, "同类已经运作的：%s（%s）　%s", p.GetName(), p.GetCode(), p.GetRiskGrade())
		c.evidence(3, p.GetEvidence())
	}
	c.textLine(2, "不做：", t.GetDoNothing())
}

func (c *card) list(indent int, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	c.line(indent, "%s", title)
	for _, text := range lines {
		c.line(indent+1, "· %s", text)
	}
}

func mandatory(t *fundmatchv1.TalkCard) []string {
	out := make([]string, len(t.GetMandatory()))
	for i, d := range t.GetMandatory() {
		// The version names the words as they stood; its head tells one from another.
		out[i] = d.GetText() + "（" + d.GetId() + "，版本 " + head(d.GetVersion()) + "）"
	}
	return out
}

func head(version string) string { return version[:min(len(version), 8)] }

func grades(t *fundmatchv1.TalkCard) []string {
	var out []string
	for _, g := range [...]struct{ name, grade string }{{"本行 ", t.GetBankGrade()}, {"发行人 ", t.GetIssuerGrade()}, {"执行 ", t.GetEffectiveGrade()}} {
		if g.grade == "" {
			g.grade = "没有"
		}
		out = append(out, g.name+g.grade)
	}
	return out
}

// costs writes what the amount costs by class and by how long it stays.
func (c *card) costs(t *fundmatchv1.TalkCard) {
	if len(t.GetCosts()) == 0 {
		return
	}
	c.line(2, "费用：")
	for _, p := range t.GetCosts() {
		label := p.GetLabel()
		if class := p.GetShareClass(); class != "" {
			label = class + "类　" + label
		}
		cost := p.GetCost()
		if cost == nil {
			c.line(3, "%s　没有核实，先问清再谈", label)
			continue
		}
		c.line(3, "%s　合计 %s（申购 %s，销售服务 %s，赎回 %s，管理和托管 %s）", label, yuan(cost.GetTotalFen()), yuan(cost.GetEntryFen()),
			yuan(cost.GetServiceFen()), yuan(cost.GetExitFen()), yuan(cost.GetRunningFen()))
	}
	if t.BreakEvenDays != nil {
		c.line(3, "持有 %s 天起，A类不比C类贵", count(t.GetBreakEvenDays()))
	}
}

// evidence writes dated facts, one a line.
func (c *card) evidence(indent int, facts []*fundmatchv1.Evidence) {
	for _, e := range facts {
		parts := []string{evidenceName(e.GetField()) + " " + readable(e)}
		if e.GetWindow() != "" {
			parts = append(parts, e.GetWindow())
		}
		if day := e.GetAsOf(); day != "" {
			stale := ""
			if n := e.GetStaleDays(); n > 0 {
				stale = "（数据早 " + count(n) + " 天）"
			}
			parts = append(parts, "截至 "+day+stale)
		}
		if e.GetSource() != "" {
			parts = append(parts, named(sourceNames(), e.GetSource()))
		}
		c.line(indent, "· %s", strings.Join(parts, "　"))
	}
}

// readable writes a fact's value as a person reads it.
func readable(e *fundmatchv1.Evidence) string {
	switch e.GetUnit() {
	case "RATIO":
		if x, err := strconv.ParseFloat(e.GetValue(), 64); err == nil && e.GetField() == "GRADE_GAP" {
			return strconv.FormatFloat(x, 'f', 2, 64) + " 级" // it counts grades, and is no share of anything
		} else if err == nil {
			return strconv.FormatFloat(x*100, 'f', 2, 64) + "%"
		}
	case "FEN":
		if n, err := strconv.ParseInt(e.GetValue(), 10, 64); err == nil {
			return yuan(n)
		}
	case "TEXT":
		return readableCode(e.GetField(), e.GetValue())
	case "DAYS":
		return e.GetValue() + " 天"
	case "MONTHS":
		return e.GetValue() + " 个月"
	case "MINUTES":
		if n, err := strconv.Atoi(e.GetValue()); err == nil {
			return strconv.Itoa(n/60) + ":" + strconv.Itoa(n%60/10) + strconv.Itoa(n%10)
		}
	}
	return e.GetValue()
}

// readableCode writes a code of the facts about what he did.
func readableCode(field, code string) string {
	switch field {
	case "CHURN":
		return named(bandNames(), code)
	case "NEXT_STEP":
		return named(nodeNames(), code)
	case "LAST_PAGE":
		return named(pageNames(), code)
	case "CHANNEL":
		return named(channelNames(), code)
	case "REFUSED_FOR":
		return named(objectionNames(), code)
	default:
		return code
	}
}

// yuan writes fen as yuan with thousands separators.
func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	whole := strconv.FormatInt(fen/100, 10)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest := fen % 100; rest > 0 {
		whole += "." + strconv.FormatInt(rest/10, 10) + strconv.FormatInt(rest%10, 10)
	}
	return sign + whole + " 元"
}

func count(n int32) string { return strconv.Itoa(int(n)) }

func withDay(label, day string) string {
	if day == "" {
		return ""
	}
	return label + day
}
