package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// This file runs the readable cases of testdata/cards: the facts of a customer, the card as a manager sees it and the
// item as the customer sees it, in the words that they get. One file of cases is one theme; its answers stand beside
// it in Markdown, for a compliance reader to go through.
//
//	go test ./cmd/fundmatch -run TalkCards -update   writes the answers and docs/talk-cards.md anew; read the diff.
var update = flag.Bool("update", false, "write the golden files anew")

// minCards is how many cases there are at least.
const minCards = 120

// maxShown is how many cases of a theme stand in docs/talk-cards.md.
const maxShown = 2

// cardInstant is when the cases are asked, unless they say otherwise: a Tuesday morning.
const cardInstant = "2024-03-12T10:00:00+08:00"

// cardCase is one customer and one question about one product, or about his list.
type cardCase struct {
	ID       string       `yaml:"id"`
	About    string       `yaml:"about"`
	Ask      string       `yaml:"ask"` // product code; empty: his list
	Channel  string       `yaml:"channel"`
	At       string       `yaml:"at"`    // when he asks, as 2024-03-12 16:00; empty: cardInstant
	Limit    int32        `yaml:"limit"` // of a list; 0: one
	Shows    cardShows    `yaml:"shows"`
	Customer cardCustomer `yaml:"customer"`
	Tags     []cardTag    `yaml:"tags"`
	Lots     []cardLot    `yaml:"lots"`
	Bought   []cardBuy    `yaml:"bought"`
	Events   []cardEvent  `yaml:"events"`
	Consents []cardWord   `yaml:"consents"`
	InDocs   bool         `yaml:"in_docs"` // stands in docs/talk-cards.md
}

// cardShows is what a case is there to show; the answer for the manager must hold it.
type cardShows struct {
	Objection, Action, Goal, Node, Notice, Holding, Source string
}

type cardCustomer struct {
	Type, Level, Assessed, Born, Capacity, Lowest, Personalization, Segment, Industry, Goals, Need string
	ProfessionalClass                                                                              string `yaml:"professional_class"`
	ProfessionalUntil                                                                              string `yaml:"professional_until"`
	Horizon                                                                                        int
	AUM                                                                                            int64 `yaml:"aum_yuan"`
	Income                                                                                         int64 `yaml:"income_yuan"`
}

type cardTag struct{ Name, Value, Source, From, To string }

type cardLot struct {
	Product, On string
	Shares      string
	Cost        int64 `yaml:"cost_yuan"`
}

type cardBuy struct {
	Product, On string
	Amount      int64 `yaml:"amount_yuan"`
}

type cardEvent struct {
	At, Kind, Product, Channel string
	With                       map[string]any
}

type cardWord struct {
	Purpose string
	Granted bool
	On      string // the day of his word; empty: 2023-06-01
}

func TestTalkCards(t *testing.T) {
	themes, cases := readCards(t)
	if n := len(cases); n < minCards {
		t.Fatalf("%d cases, expected %d or more", n, minCards)
	}
	counter := openCounter(t, cases)
	seen := map[string]int{}
	var docs bytes.Buffer
	for _, theme := range themes {
		t.Run(theme.name, func(t *testing.T) {
			var got bytes.Buffer
			fmt.Fprintf(&got, "# %s\n", theme.name)
			shown := 0
			for i := range theme.cases {
				c := &theme.cases[i]
				text := counter.card(t, c, seen)
				got.WriteString(text)
				if c.InDocs && shown < maxShown {
					docs.WriteString(text)
					shown++
				}
			}
			checkGolden(t, filepath.Join("testdata", "cards", theme.name+".md"), got.Bytes())
		})
	}
	checkGolden(t, filepath.Join(root, "docs", "talk-cards.md"), append([]byte(docsHead), docs.Bytes()...))
	everythingIsShown(t, seen)
}

const docsHead = `# Talk cards

Generated from cmd/fundmatch/testdata/cards by ` + "`go test ./cmd/fundmatch -run TalkCards -update`" + `; all cases stand there.
Each case gives the facts, the card as the relationship manager sees it, and the item as the customer sees it.
`

// everythingIsShown holds the coverage: each doubt, action, goal and key node has a case.
func everythingIsShown(t *testing.T, seen map[string]int) {
	t.Helper()
	want := []string{}
	for c := range objection.Codes {
		want = append(want, "objection "+c.String())
	}
	for a := range conversion.Actions {
		want = append(want, "action "+a.String())
	}
	for g := fund.Cash; int(g) < fund.Goals; g++ {
		want = append(want, "goal "+g.String())
	}
	for n := fund.Exposed; n < fund.KeyNodes; n++ {
		want = append(want, "node "+n.String())
	}
	for _, w := range want {
		if seen[w] == 0 {
			t.Errorf("no case shows %s", w)
		}
	}
}

type cardTheme struct {
	name  string
	cases []cardCase
}

func readCards(t *testing.T) (themes []cardTheme, all []cardCase) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "cards", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, file := range files {
		if filepath.Base(file) == "nav.yaml" {
			continue
		}
		theme := cardTheme{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		readStrict(t, file, &theme.cases)
		for i := range theme.cases {
			if id := theme.cases[i].ID; ids[id] {
				t.Fatalf("%s: case %s stands twice", file, id)
			}
			ids[theme.cases[i].ID] = true
		}
		themes, all = append(themes, theme), append(all, theme.cases...)
	}
	return themes, all
}

func readStrict(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func checkGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s changed (-reviewed +now); -update rewrites it:\n%s", file, diff)
	}
}

// counter is the bank's counter at which the cases ask; it has a service an instant.
type counter struct {
	store    *memory.Store
	loader   *engine.Loader
	services map[string]*recommendation.Service
}

// openCounter imports pool and customers as a bank would, from dataset files.
func openCounter(t *testing.T, cases []cardCase) *counter {
	t.Helper()
	ctx := context.Background()
	at, err := fund.ParseInstant(cardInstant)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeCardBank(t, dir, cases)
	store := memory.New()
	folder, err := dataset.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	told := at // what happens in the cases after their beginning included
	for i := range cases {
		if last, err := fund.ParseInstant(cases[i].instant()); err == nil {
			told = max(told, last)
		}
	}
	if _, err := store.Import(ctx, told, func(b features.Batch) error {
		known, ok := b.(dataset.Known)
		if !ok {
			return errors.New("the store's batch does not tell what it has")
		}
		_, err := folder.Load(ctx, b, known, dataset.Options{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := engine.InstallDefaults(ctx, store, at); err != nil {
		t.Fatal(err)
	}
	loader, err := engine.NewLoader(store, store, "test")
	if err != nil {
		t.Fatal(err)
	}
	return &counter{store, loader, map[string]*recommendation.Service{}}
}

// at is the service with the core of an instant.
func (c *counter) at(t *testing.T, instant string) *recommendation.Service {
	t.Helper()
	if s, ok := c.services[instant]; ok {
		return s
	}
	at, err := fund.ParseInstant(instant)
	if err != nil {
		t.Fatal(err)
	}
	core, err := c.loader.Newest(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	clock := at.Time()
	s := recommendation.New(recommendation.Fixed(core, at), c.store, noLog{}, recommendation.Config{
		NewID: func() (string, error) { return "00000000-0000-7000-8000-000000000000", nil },
		Clock: func() time.Time { return clock }, Staff: c.store,
	})
	c.services[instant] = s
	return s
}

// noLog forgets the records: the cases are about words.
type noLog struct{}

func (noLog) Append(context.Context, decisionlog.Record) error { return nil }

// card asks a case for both readers and writes what they get.
func (c *counter) card(t *testing.T, k *cardCase, seen map[string]int) string {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", k.ID, k.About)
	k.writeFacts(&out)
	for _, reader := range [...]struct{ audience, title string }{{"MANAGER", "客户经理看到的"}, {"CUSTOMER", "客户看到的"}} {
		var text bytes.Buffer
		p := &program{world: world{stdout: &text}}
		if k.Ask == "" {
			c.list(t, k, p, reader.audience, seen)
		} else {
			c.one(t, k, p, reader.audience, seen)
		}
		if code := rawCode.FindString(text.String()); code != "" {
			t.Errorf("%s: %q has no name in zh-CN", k.ID, code)
		}
		fmt.Fprintf(&out, "**%s**\n\n```text\n%s```\n\n", reader.title, text.String())
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func (c *counter) list(t *testing.T, k *cardCase, p *program, audience string, seen map[string]int) {
	t.Helper()
	limit := max(k.Limit, 1)
	answer, err := c.at(t, k.instant()).Recommend(context.Background(), &fundmatchv1.RecommendRequest{
		CustomerId: k.ID, Channel: k.channel(), Audience: audience, Limit: &limit,
	})
	if err != nil {
		t.Fatalf("%s: %v", k.ID, err)
	}
	if err := p.printCard(answer); err != nil {
		t.Fatal(err)
	}
	if audience != "MANAGER" {
		return
	}
	got := map[string]bool{}
	for _, n := range answer.GetNotices() {
		got["notice "+n.GetCode()] = true
	}
	for _, h := range answer.GetHoldings() {
		got["holding "+h.GetAction()], got["action "+h.GetAction()] = true, true
	}
	for _, it := range answer.GetItems() {
		noteItem(got, it.GetExpectation(), it.GetObjections(), it.GetConversion())
	}
	k.check(t, got, seen)
}

func (c *counter) one(t *testing.T, k *cardCase, p *program, audience string, seen map[string]int) {
	t.Helper()
	answer, err := c.at(t, k.instant()).Explain(context.Background(), &fundmatchv1.ExplainRequest{
		CustomerId: k.ID, ProductCode: k.Ask, Channel: k.channel(), Audience: audience,
	})
	if err != nil {
		t.Fatalf("%s: %v", k.ID, err)
	}
	// The one item as a list would show it: scores and raw evidence are explain's own.
	if err := p.printCard(&fundmatchv1.RecommendResponse{
		DecisionId: "-", CustomerId: answer.GetCustomerId(), DecidedAt: answer.GetAt(), Personalized: answer.GetPersonalized(), Brief: answer.GetBrief(),
		Audience: audience, Channel: k.channel(),
		Items: []*fundmatchv1.Item{{
			Rank: 1, Product: answer.GetProduct(), Score: answer.GetScore(), Expectation: answer.GetExpectation(), Objections: answer.GetObjections(),
			Conversion: answer.GetConversion(), Why: answer.GetWhy(), TalkCard: answer.GetTalkCard(),
		}},
	}); err != nil {
		t.Fatal(err)
	}
	if audience == "MANAGER" {
		got := map[string]bool{}
		noteItem(got, answer.GetExpectation(), answer.GetObjections(), answer.GetConversion())
		k.check(t, got, seen)
	}
}

func noteItem(got map[string]bool, e *fundmatchv1.Expectation, objections []*fundmatchv1.Objection, v *fundmatchv1.Conversion) {
	got["goal "+e.GetGoal()], got["source "+e.GetSource()] = true, true
	for _, o := range objections {
		got["objection "+o.GetCode()] = true
	}
	got["action "+v.GetAction()] = true
	if f := v.GetFollowUp(); f != nil {
		got["follow-up "+f.GetKeyNode()] = true
	}
}

// rawCode finds a fact, or a cause of a doubt, that stands there by its code.
var rawCode = regexp.MustCompile(`· [A-Z][A-Z0-9_]{2,} .*|起因 .*[A-Z]{3,}.*`)

// consents are those of the case; who does not say otherwise may be called.
func (k *cardCase) consents() []cardWord {
	if k.Consents != nil {
		return k.Consents
	}
	return []cardWord{{Purpose: fund.ConsentCall, Granted: true}}
}

func (k *cardCase) instant() string {
	if k.At == "" {
		return cardInstant
	}
	return instantOf(k.At)
}

// instantOf reads a minute of Shanghai as the cases write it.
func instantOf(at string) string { return strings.Replace(at, " ", "T", 1) + ":00+08:00" }

func (k *cardCase) channel() string { return cmp.Or(k.Channel, "BRANCH") }

// check holds what the case promises to show, and counts it.
func (k *cardCase) check(t *testing.T, got map[string]bool, seen map[string]int) {
	t.Helper()
	for _, want := range [...]struct{ what, value string }{
		{"objection", k.Shows.Objection},
		{"action", k.Shows.Action},
		{"goal", k.Shows.Goal},
		{"notice", k.Shows.Notice},
		{"holding", k.Shows.Holding},
		{"source", k.Shows.Source},
	} {
		if want.value == "" {
			continue
		}
		name := want.what + " " + want.value
		if !got[name] {
			t.Errorf("%s: shows no %s: %v", k.ID, name, got)
		}
		seen[name]++
	}
	if k.Shows.Node != "" { // where he stands is in the facts: the events lead to it
		seen["node "+k.Shows.Node]++
	}
	if k.Shows == (cardShows{}) {
		t.Errorf("%s: is there to show nothing", k.ID)
	}
}

// writeFacts writes what the bank knows, as the case states it.
func (k *cardCase) writeFacts(out *bytes.Buffer) {
	fmt.Fprint(out, "**事实**\n\n")
	line := func(label string, parts ...string) {
		if text := strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "，"); text != "" {
			fmt.Fprintf(out, "- %s：%s\n", label, text)
		}
	}
	named := func(name, value string) string {
		if value == "" || value == "0" {
			return ""
		}
		return name + " " + value
	}
	p := &k.Customer
	line("渠道", k.channel(), named("产品", k.Ask), named("时间", k.At))
	line("客户", p.Type, named("等级", p.Level), named("测评日", p.Assessed), named("出生", p.Born), named("行为能力", p.Capacity),
		named("最低类别", p.Lowest), named("专业投资者", p.ProfessionalClass), named("至", p.ProfessionalUntil), named("个性化", p.Personalization),
		named("客群", p.Segment), named("行业", p.Industry), named("资产（元）", strconv.FormatInt(p.AUM, 10)), named("年收入（元）", strconv.FormatInt(p.Income, 10)))
	line("需求", named("目标", p.Goals), named("期限（月）", strconv.Itoa(p.Horizon)), named("流动性", p.Need))
	for _, x := range k.Tags {
		line("标签", x.Name+"="+x.Value, named("来源", x.Source), named("自", x.From), named("至", x.To))
	}
	for _, x := range k.Lots {
		line("持有", x.Product, named("份额", x.Shares), named("买入日", x.On), named("成本（元）", strconv.FormatInt(x.Cost, 10)))
	}
	for _, x := range k.Bought {
		line("买过", x.Product, x.On, named("金额（元）", strconv.FormatInt(x.Amount, 10)))
	}
	for _, x := range k.Events {
		line("事件", x.At, x.Kind, x.Product, x.Channel, attributes(x.With))
	}
	for _, x := range k.consents() {
		line("同意", x.Purpose+"="+strconv.FormatBool(x.Granted), x.On)
	}
	out.WriteByte('\n')
}

func attributes(with map[string]any) string {
	if len(with) == 0 {
		return ""
	}
	text, err := json.Marshal(with)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// writeCardBank writes the dataset files of pool, market and customers.
func writeCardBank(t *testing.T, dir string, cases []cardCase) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "cards", "products.csv"))
	if err != nil {
		t.Fatal(err)
	}
	products, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][][]string{
		"products":     products,
		"nav":          append([][]string{{"product_code", "nav_date", "unit_nav", "accum_nav"}}, cardNAVs(t)...),
		"calendar":     append([][]string{{"date", "open"}}, cardCalendar()...),
		"managers":     {{"manager_id", "branch_id", "licence_id", "licence_until"}, {"M001", "B001", "A20201234", "2026-12-31"}},
		"branches":     {{"branch_id", "name", "region"}, {"B001", "城东支行", "华东"}},
		"customers":    {{"customer_id", "investor_type", "risk_level", "risk_assessed_on", "is_lowest_class", "birth_date", "capacity", "professional_class", "professional_until", "industry", "branch_id", "manager_id", "segment", "aum_fen", "income_fen", "goals", "horizon_months", "liquidity_need", "personalization"}},
		"tags":         {{"customer_id", "name", "value", "event_at", "valid_to", "source"}},
		"holdings":     {{"customer_id", "product_code", "shares", "acquired_on", "cost_fen"}},
		"interactions": {{"customer_id", "product_code", "known_on", "kind", "amount_fen"}},
		"events":       {{"event_id", "customer_id", "kind", "event_at", "product_code", "channel", "attributes"}},
		"consents":     {{"customer_id", "purpose", "granted", "event_at"}},
	}
	for i := range cases {
		cases[i].addRows(tables)
	}
	for name, rows := range tables {
		var text bytes.Buffer
		if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (k *cardCase) addRows(tables map[string][][]string) {
	add := func(table string, row ...string) { tables[table] = append(tables[table], row) }
	fen := func(yuan int64) string {
		if yuan == 0 {
			return ""
		}
		return strconv.FormatInt(yuan*100, 10)
	}
	p := &k.Customer
	horizon := ""
	if p.Horizon > 0 {
		horizon = strconv.Itoa(p.Horizon)
	}
	add("customers", k.ID, cmp.Or(p.Type, "ORDINARY"), p.Level, p.Assessed, p.Lowest, p.Born, p.Capacity, p.ProfessionalClass, p.ProfessionalUntil,
		p.Industry, "B001", "M001", p.Segment, fen(p.AUM), fen(p.Income), p.Goals, horizon, p.Need, p.Personalization)
	for _, x := range k.Tags {
		add("tags", k.ID, x.Name, x.Value, cmp.Or(x.From, "2024-01-02")+"T09:00:00+08:00", dayOf(x.To), x.Source)
	}
	for _, x := range k.Lots {
		add("holdings", k.ID, x.Product, x.Shares, x.On, fen(x.Cost))
	}
	for _, x := range k.Bought {
		add("interactions", k.ID, x.Product, x.On, "BUY", fen(x.Amount))
	}
	for i, x := range k.Events {
		add("events", fmt.Sprintf("%s-%02d", k.ID, i+1), k.ID, x.Kind, instantOf(x.At), x.Product, cmp.Or(x.Channel, "APP"), attributes(x.With))
	}
	for _, x := range k.consents() {
		add("consents", k.ID, x.Purpose, strconv.FormatBool(x.Granted), cmp.Or(x.On, "2023-06-01")+"T09:00:00+08:00")
	}
}

func dayOf(date string) string {
	if date == "" {
		return ""
	}
	return date + "T00:00:00+08:00"
}

// cardCurves are how the funds went.
type cardCurves struct {
	Swing        map[string]float64            `yaml:"swing"`
	DefaultSwing float64                       `yaml:"default_swing"`
	Curves       map[string][]string           `yaml:"curves"`
	Payouts      map[string]map[string]float64 `yaml:"payouts"`
}

// cardNAVs draws the curves: straight lines between the days that are given, and a swing
// around them that is the same in every run.
func cardNAVs(t *testing.T) (rows [][]string) {
	t.Helper()
	var curves cardCurves
	readStrict(t, filepath.Join("testdata", "cards", "nav.yaml"), &curves)
	codes := make([]string, 0, len(curves.Curves))
	for code := range curves.Curves {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		swing, ok := curves.Swing[code]
		if !ok {
			swing = curves.DefaultSwing
		}
		paid := 0.0
		days, values := curvePoints(t, curves.Curves[code])
		for i, from, j := 0, days[0], 0; from <= days[len(days)-1]; from, i = from.AddDays(1), i+1 {
			for j+1 < len(days)-1 && days[j+1] <= from {
				j++
			}
			paid += curves.Payouts[code][from.String()]
			if w := from.Weekday(); w == 0 || w == 6 {
				continue
			}
			share := float64(from.DaysSince(days[j])) / float64(days[j+1].DaysSince(days[j]))
			// A saw that is 0 on the days that are given: peaks and troughs stay theirs.
			wave := float64((i%7)-3) * min(share, 1-share) * 4 / 3
			accum := (values[j] + (values[j+1]-values[j])*share) * (1 + wave*swing/1e6)
			rows = append(rows, []string{code, from.String(), strconv.FormatFloat(accum-paid, 'f', 4, 64), strconv.FormatFloat(accum, 'f', 4, 64)})
		}
	}
	return rows
}

func curvePoints(t *testing.T, points []string) (days []fund.Date, values []float64) {
	t.Helper()
	for _, point := range points {
		day, value, _ := strings.Cut(point, " ")
		d, err := fund.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		days, values = append(days, d), append(values, v)
	}
	return days, values
}

// cardCalendar is the calendar of 2024: weekdays, less two long holidays.
func cardCalendar() (rows [][]string) {
	closed := func(d fund.Date) bool {
		w := d.Weekday()
		return w == 0 || w == 6 || d >= 20240404 && d <= 20240405 || d >= 20240501 && d <= 20240503 || d >= 20240209 && d <= 20240216
	}
	for d := fund.Date(20240101); d <= 20241231; d = d.AddDays(1) {
		rows = append(rows, []string{d.String(), strconv.FormatBool(!closed(d))})
	}
	return rows
}
