package objection_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// For each doubt, readable cases: what is known, what the manager sees, what the customer
// sees. Run with -update and read the diff.
func TestScenes(t *testing.T) {
	files := map[objection.Code]*bytes.Buffer{}
	for _, s := range scenes() {
		c := person()
		s.change(c)
		found, _ := objection.Foresee(c, nil, nil)
		i := slices.IndexFunc(found, func(o objection.Objection) bool { return o.Code == s.code })
		if i < 0 {
			t.Errorf("%s, %s: not among %v", s.code, s.name, codesOf(found))
			continue
		}
		out := files[s.code]
		if out == nil {
			out = &bytes.Buffer{}
			files[s.code] = out
		}
		tell(t, out, s.name, c, found, &found[i])
	}
	for code := range objection.Codes {
		out := files[code]
		if out == nil {
			t.Errorf("%s has no scene", code)
			continue
		}
		name := filepath.Join("testdata", code.String()+".golden")
		if *update {
			if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, out.Bytes()) {
			t.Errorf("%s is not current; run with -update and read the diff:\n%s", name, out)
		}
	}
}

func codesOf(found []objection.Objection) []string {
	var out []string
	for i := range found {
		out = append(out, found[i].Code.String()+" "+found[i].Band.String())
	}
	return out
}

// tell writes a scene as a compliance officer reads it.
func tell(t *testing.T, out *bytes.Buffer, name string, c *objection.Case, found []objection.Objection, o *objection.Objection) {
	t.Helper()
	fmt.Fprintf(out, "== %s\n【已知】%s\n【产品】%s\n", name, aboutHim(c), aboutIt(c))
	fmt.Fprintf(out, "【预计的疑虑】%s\n", strings.Join(codesOf(found), "，"))
	fmt.Fprintf(out, "【客户经理看到】%s %s，触发：%s", o.Code, o.Band, strings.Join(slices.DeleteFunc(o.Triggers[:], func(s string) bool { return s == "" }), " "))
	if o.Silenced {
		fmt.Fprintf(out, "，不再解释")
	}
	fmt.Fprintf(out, "\n  提示：%s\n", say(t, wording.Manager, o.Advice, append(slices.Clone(o.Grounds), o.Evidence...)))
	listFacts(out, "仅供客户经理", o.Grounds)
	listFacts(out, "证据", o.Evidence)
	face, shown := o.Code.Face()
	switch {
	case o.Silenced:
		fmt.Fprintf(out, "【客户看到】没有\n")
	case !shown:
		fmt.Fprintf(out, "【客户看到】没有（客户问起时，客户经理可以说）\n")
	default:
		fmt.Fprintf(out, "【客户看到】%s\n", face)
	}
	for _, id := range o.Sentences {
		if id != "" {
			fmt.Fprintf(out, "  %s\n", say(t, wording.Customer, id, o.Evidence))
		}
	}
	if o.Discloses != "" {
		fmt.Fprintf(out, "  （须同时展示：%s）\n", say(t, wording.Customer, o.Discloses, nil))
	}
	out.WriteByte('\n')
}

// say renders a sentence for a reader from exactly the evidence that he may see.
func say(t *testing.T, reader wording.Audience, name string, evidence []fund.Evidence) string {
	t.Helper()
	text, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	id, ok := text.ID(name)
	if !ok || !text.Audience(id).May(reader) || reader == wording.Manager && text.Audience(id) != wording.Manager {
		t.Fatalf("%q is no sentence for %s", name, reader)
	}
	said, err := text.AppendEvidence(nil, id, evidence)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

func listFacts(out *bytes.Buffer, title string, facts []fund.Evidence) {
	for i := range facts {
		e := &facts[i]
		fmt.Fprintf(out, "  %s %s=%s", title, e.Field, e.Value())
		if e.Window != (fund.Window{}) {
			fmt.Fprintf(out, " [%s]", e.Window)
		}
		if e.Stale > 0 {
			fmt.Fprintf(out, " 距今%d天", e.Stale)
		}
		fmt.Fprintf(out, " %s\n", e.Source)
	}
}

// aboutHim lists what is known of the customer.
func aboutHim(c *objection.Case) string {
	w := []string{"等级" + c.Customer.Level.String()}
	add := func(ok bool, format string, a ...any) {
		if ok {
			w = append(w, fmt.Sprintf(format, a...))
		}
	}
	p := &c.Customer
	add(p.Goal != 0, "目标%s", p.Goal)
	add(p.Need != 0, "用钱需要%s", p.Need)
	add(p.HorizonMonths > 0, "打算放%d个月", p.HorizonMonths)
	add(p.Elder, "老年客户")
	add(p.OptedOut, "拒绝营销")
	add(p.ManagerChanged, "换了客户经理")
	for i := range p.Tags {
		add(true, "标签%s", p.Tags[i].Name)
	}
	for i := range p.Held {
		h := &p.Held[i]
		add(true, "持有%s（%s，成本%d分，市值%d分）", h.Product.Name, h.Product.Grades.Effective(), h.Position.Cost, h.Position.Value)
	}
	l, habits := &p.Conduct.Losses, &p.Conduct.Habits
	add(l.SoldAtLoss > 0, "亏损卖出%d次", l.SoldAtLoss)
	add(l.SoldInFall > 0, "下跌中赎回%d次", l.SoldInFall)
	add(habits.Postponements > 0, "一年里推迟%d次", habits.Postponements)
	add(habits.Page != "", "最近看的页面%s", habits.Page)
	add(p.Conduct.Complaints > 0, "未了结的投诉%d件", p.Conduct.Complaints)
	if j := p.Journey; j != nil {
		add(true, "这只产品看到%d次、放弃%d次", j.Exposures, j.Abandons)
	}
	for i := range p.Doubts {
		add(true, "提过%s %d次", p.Doubts[i].Code, p.Doubts[i].Count)
	}
	return strings.Join(w, "；")
}

// aboutIt lists what is known of the product.
func aboutIt(c *objection.Case) string {
	w := []string{c.Product.Name, c.Class.String(), "等级" + c.Grade.String(), "规模" + fmt.Sprint(c.Product.Parties.Size) + "分"}
	if c.NewIssue {
		w = append(w, "新发")
	}
	if c.Record.Observations > 0 {
		w = append(w, fmt.Sprintf("净值%d个，距今%d天", c.Record.Observations, c.Record.StaleDays))
	}
	return strings.Join(w, "；")
}

// Every sentence about a doubt is said in some scene, so that each has been read with
// figures that belong together. The rest are named here with the reason.
func TestEverySentenceIsSaid(t *testing.T) {
	text, err := templates()
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	note := func(c *objection.Case) {
		found, _ := objection.Foresee(c, nil, nil)
		for i := range found {
			said[found[i].Advice] = true
			for _, name := range found[i].Sentences {
				said[name] = true
			}
		}
	}
	for _, s := range scenes() {
		c := person()
		s.change(c)
		note(c)
	}
	for _, change := range answerCases() {
		c := aCase()
		change.change(c)
		if change.code == objection.Liquidity {
			c.Customer.Need = fund.NeedHigh
		}
		note(c)
	}
	// The steps of a ladder and a lockup with its day are said by the talk card, with the
	// days of an order; the others were replaced by objection.FEE.ladder.
	elsewhere := []string{
		"objection.FEE.compare.days", "objection.FEE.single.days", "objection.FEE.exit_step", "objection.FEE.exit_next", "objection.FEE.exit_free",
		"objection.FEE.exit_last", "objection.LIQUIDITY.lockup_until",
	}
	for _, name := range text.Names() {
		if strings.HasPrefix(name, "objection.") && !said[name] && !slices.Contains(elsewhere, name) {
			t.Errorf("%s is never said", name)
		}
	}
}
