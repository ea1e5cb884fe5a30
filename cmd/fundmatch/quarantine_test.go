package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// unlawfulBank has one lawful fund and one for each rule of admission that breaks it.
func unlawfulBank() map[string]string {
	row := func(code, launched, due, ladder, exit string) string {
		return code + "," + code + ",股票型,A,R3,PUBLIC_FUND,OPEN," + launched + "," + due + ",100,0,0," + ladder + "," + exit + "\n"
	}
	const lawfulExit = "7:150;30:100;180:50;:0"
	return map[string]string{
		"products.csv": "product_code,name,product_type,share_class,risk_grade,kind,status,launched_on,due_diligence_id,management_bps,custody_bps,service_bps,subscription_ladder,redemption_ladder\n" +
			row("GOOD", "2020-03-01", "D", ":80", lawfulExit) + row("DEAR", "2026-03-01", "D", ":81", lawfulExit) +
			row("QUICK", "2026-03-01", "D", ":80", "7:150;30:100;180:49;:0") + row("UNSEEN", "2020-03-01", "", ":80", lawfulExit),
		"customers.csv": "customer_id,investor_type,risk_level,risk_assessed_on,is_lowest_class,birth_date,capacity,aum_fen,goals,horizon_months,liquidity_need\n" +
			"K1,ORDINARY,C5,2026-05-01,false,1980-01-01,FULL,100000000,GROWTH,60,LOW\n",
	}
}

// A product that breaks F01, F02 or C02 is named with its rule and value and goes into
// quarantine; the rest is published. It is never recommended and cannot be ordered.
func TestAnUnlawfulProductIsQuarantined(t *testing.T) {
	t.Parallel()
	store := "sqlite:" + filepath.Join(t.TempDir(), "bank.db")
	text := mustRun(t, "import", folderOf(t, unlawfulBank()), "--store", store)
	for _, want := range []string{
		"published pool revision 1 with 4 products",
		"product DEAR is in quarantine: F01 SUBSCRIPTION_FEE_ABOVE_CAP (class=EQUITY, rate_bps=81, cap_bps=80)",
		"product QUICK is in quarantine: F02 EXIT_FEE_BELOW_FLOOR (held_days=30, rate_bps=49, floor_bps=50)",
		"product UNSEEN is in quarantine: C02 DUE_DILIGENCE_MISSING",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("import does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "GOOD is in quarantine") {
		t.Errorf("the lawful fund, too:\n%s", text)
	}
	if again := mustRun(t, "import", folderOf(t, unlawfulBank()), "--store", store); strings.Contains(again, "quarantine") {
		t.Errorf("an import that changes nothing tells it again:\n%s", again)
	}
	answer := decode[list](t, mustRun(t, "recommend", "K1", "--store", store, "--limit", "50", "--json"))
	if len(answer.Items) != 1 || answer.Items[0].Product.Code != "GOOD" {
		t.Errorf("recommended: %+v", answer.Items)
	}
	for code, says := range map[string]string{
		"DEAR": "超过这类基金的上限0.80%", "QUICK": "低于应收的0.50%", "UNSEEN": "没有尽职调查记录",
	} {
		e := decode[struct{ Verdict, OrderVerdict string }](t, mustRun(t, "explain", "K1", code, "--store", store, "--json"))
		if e.Verdict != "BLOCK" || e.OrderVerdict != "BLOCK" {
			t.Errorf("%s: %+v", code, e)
		}
		lines := strings.Split(mustRun(t, "explain", "K1", code, "--store", store), "\n")
		if !strings.HasPrefix(lines[2], "结论　不推荐，也不能购买：") || !strings.Contains(lines[2], says) || !strings.Contains(lines[3], "请总行更正") {
			t.Errorf("%s: the explanation begins with\n%s", code, strings.Join(lines[:5], "\n"))
		}
		his := mustRun(t, "explain", "K1", code, "--store", store, "--audience", "CUSTOMER")
		if !strings.Contains(his, "结论　不推荐，也不能购买：这只产品现在不能在我行购买。") || strings.Contains(his, "bps") || strings.Contains(his, "依据：规则") {
			t.Errorf("%s: the customer reads\n%s", code, his)
		}
	}
}

// Over REST the pool lists what is in quarantine, a product says so itself, and the operators'
// metrics count it.
func TestE2EQuarantine(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.must("import", folderOf(t, unlawfulBank()), "--store", "sqlite:bank.db")
	r := w.serve("--store", "sqlite:bank.db")
	ctx := t.Context()
	type finding struct{ ProductCode, RuleID, Reason, Text string }
	code, body, err := r.call(ctx, "GET", "/v1/pool")
	pool := decode[struct{ Quarantined []finding }](t, body)
	if err != nil || code != 200 || len(pool.Quarantined) != 3 || pool.Quarantined[0].ProductCode != "DEAR" || !strings.Contains(pool.Quarantined[0].Text, "0.81%") {
		t.Errorf("the pool: %d %s %v", code, body, err)
	}
	for product, want := range map[string]string{"GOOD": "ADMITTED", "QUICK": "QUARANTINED"} {
		code, body, err := r.call(ctx, "GET", "/v1/products/"+product)
		got := decode[struct {
			Admission  string
			Quarantine []finding
		}](t, body)
		if err != nil || code != 200 || got.Admission != want || (want == "ADMITTED") != (len(got.Quarantine) == 0) {
			t.Errorf("%s: %d %s %v", product, code, body, err)
		}
	}
	if code, body, err := r.call(ctx, "GET", "/v1/customers/K1/recommendations?limit=50"); err != nil || code != 200 || strings.Contains(body, `"DEAR"`) || !strings.Contains(body, `"GOOD"`) {
		t.Errorf("recommendations: %d %s %v", code, body, err)
	}
	r.stop(t)
	if log := r.stderr.String(); strings.Count(log, "a product is in quarantine") < 3 || !strings.Contains(log, "rate_bps=81") || !strings.Contains(log, `"product":"DEAR"`) {
		t.Errorf("the log says\n%s", log)
	}
}
