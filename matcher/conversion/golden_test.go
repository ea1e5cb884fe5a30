package conversion_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// go test ./matcher/conversion -run Golden -update writes testdata/actions.golden anew; read the diff.
var update = flag.Bool("update", false, "write the golden file anew")

// told is a case as testdata/actions.yaml tells it.
type told struct {
	Case         string   `yaml:"case"`
	At           string   `yaml:"at"`
	Channel      string   `yaml:"channel"`
	Standing     string   `yaml:"standing"`
	Grade        string   `yaml:"grade"`
	Level        string   `yaml:"level"`
	Status       string   `yaml:"status"`
	Minimum      int64    `yaml:"minimum"`
	Lockup       int32    `yaml:"lockup"`
	NextOpen     string   `yaml:"next_open"`
	Suggested    int64    `yaml:"suggested"`
	FeesUnknown  bool     `yaml:"fees_unknown"`
	BeyondMeans  bool     `yaml:"beyond_means"`
	Guardian     bool     `yaml:"guardian"`
	Elder        bool     `yaml:"elder"`
	Held         bool     `yaml:"held"`
	Question     string   `yaml:"question"`
	Expired      string   `yaml:"expired"`
	Horizon      int32    `yaml:"horizon"`
	Income       int64    `yaml:"income"`
	Hesitant     bool     `yaml:"hesitant"`
	Silenced     bool     `yaml:"silenced"`
	Postponed    bool     `yaml:"postponed"`
	Complaints   int32    `yaml:"complaints"`
	RefusedOn    string   `yaml:"refused_on"`
	RefusedUntil string   `yaml:"refused_until"`
	NotNowUntil  string   `yaml:"not_now_until"`
	Node         string   `yaml:"node"`
	NodeOn       string   `yaml:"node_on"`
	Review       bool     `yaml:"review"`
	BoughtOn     []string `yaml:"bought_on"`
}

// must returns what a parser read; the case is wrong where it could not.
func must[T any](t *testing.T, parse func(string) (T, error), s, otherwise string) T {
	t.Helper()
	if s == "" {
		s = otherwise
	}
	v, err := parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *told) product(t *testing.T) *fund.Product {
	t.Helper()
	exit, err := fund.ParseRedemptionLadder("7:150;30:100;180:50;:0")
	if err != nil {
		t.Fatal(err)
	}
	return &fund.Product{
		Code: "161725", ShareClass: "A", Listing: fund.Listing{Status: must(t, fund.ParseStatus, w.Status, "OPEN")},
		Terms: fund.Terms{MinPurchase: fund.Money(w.Minimum * 100), LockupDays: w.Lockup, NextOpenOn: must(t, fund.ParseDate, w.NextOpen, "")},
		Fees:  fund.FeeSchedule{Redemption: exit},
	}
}

func (w *told) decide(t *testing.T) *conversion.Conversion {
	t.Helper()
	date := func(s string) fund.Date { return must(t, fund.ParseDate, s, "") }
	standings := map[string]conversion.Standing{
		"": conversion.Permitted, "INFORMATION": conversion.Information, "CONFIRMABLE": conversion.Confirmable, "REFUSED": conversion.Refused,
	}
	standing, ok := standings[w.Standing]
	if !ok {
		t.Fatalf("standing %q", w.Standing)
	}
	c := conversion.Case{
		Product: w.product(t), Grade: must(t, fund.ParseRiskGrade, w.Grade, "R3"), Class: fund.Equity, Calendar: &fund.Calendar{},
		At: must(t, fund.ParseInstant, w.At, "2024-03-06T10:00:00+08:00"), Standing: standing, Branch: w.Channel == "BRANCH", Plans: plans,
		Quote: conversion.Quote{Min: fund.Money(w.Minimum * 100), Suggested: fund.Money(w.Suggested * 100), Own: conversion.ClassCost{OK: !w.FeesUnknown}},
		Person: conversion.Person{
			Level: must(t, fund.ParseRiskLevel, w.Level, "C3"), Expired: date(w.Expired), Question: w.Question, Guardian: w.Guardian, Elder: w.Elder,
			Affordable: !w.BeyondMeans, HorizonMonths: w.Horizon, Income: fund.Money(w.Income * 100), Held: w.Held, HeldVery: w.Held,
		},
		Thread: conversion.Thread{
			RefusedUntil: date(w.RefusedUntil), NotNowUntil: date(w.NotNowUntil), Silenced: w.Silenced, Hesitant: w.Hesitant, Postponed: w.Postponed,
			Contact: conversion.Contact{Allowed: w.Complaints == 0, OpenComplaints: w.Complaints},
		},
	}
	if w.Node != "" || w.RefusedOn != "" {
		c.Thread.Journey = w.journey(t)
	}
	got, _ := conversion.Decide(&c, nil)
	return &got
}

func (w *told) journey(t *testing.T) *fund.Journey {
	t.Helper()
	j := &fund.Journey{}
	for n := range fund.KeyNodes {
		if n.String() == w.Node {
			j.Node = n
		}
	}
	if j.Node.String() != w.Node {
		t.Fatalf("node %q", w.Node)
	}
	if w.Node != "" {
		j.Reached[j.Node] = must(t, fund.ParseDate, w.NodeOn, "").Start().Add(hours(12))
	}
	if w.RefusedOn != "" {
		j.Refused.At = must(t, fund.ParseDate, w.RefusedOn, "").Start()
	}
	return j
}

func (w *told) review(t *testing.T) *conversion.Conversion {
	t.Helper()
	in := &conversion.HoldingCase{
		Product: w.product(t), Grade: must(t, fund.ParseRiskGrade, w.Grade, "R3"), Level: must(t, fund.ParseRiskLevel, w.Level, "C3"),
		At: must(t, fund.ParseInstant, w.At, "2024-03-06T10:00:00+08:00"), UnitNAV: 1.2, NAVOn: 20240305,
	}
	in.Ceiling = fund.RiskGrade(in.Level)
	for _, on := range w.BoughtOn {
		in.Lots = append(in.Lots, fund.Lot{ProductCode: in.Product.Code, Shares: 100_000_000, AcquiredOn: must(t, fund.ParseDate, on, "")})
	}
	got, _ := conversion.ReviewHolding(in, nil)
	return &conversion.Conversion{Action: got.Action, Sentence: got.Sentence, Evidence: got.Evidence}
}

// Each action as it is told to the customer and to the manager, for a reader who knows
// the trade and not the code.
func TestGoldenActions(t *testing.T) {
	data, err := os.ReadFile("testdata/actions.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []told
	if err := yaml.UnmarshalWithOptions(data, &cases, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	text := templates(t)
	var out bytes.Buffer
	seen := map[conversion.Action]bool{}
	for i := range cases {
		w := &cases[i]
		got := w.decide(t)
		if w.Review {
			got = w.review(t)
		}
		seen[got.Action] = true
		if name, _, _ := strings.Cut(w.Case, " "); (name != got.Action.String()) != strings.Contains(w.Case, " not before ") {
			t.Errorf("%s: the action is %s", w.Case, got.Action)
		}
		tell(t, &out, text, w, got)
	}
	for a := range conversion.Actions {
		if !seen[a] {
			t.Errorf("no case of %s", a)
		}
	}
	golden(t, "testdata/actions.golden", out.Bytes())
}

// tell writes one case as it stands before the reader.
func tell(t *testing.T, out *bytes.Buffer, text *wording.Templates, w *told, got *conversion.Conversion) {
	t.Helper()
	given, err := yaml.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "== %s\n", w.Case)
	for line := range strings.Lines(string(given)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name != "case" && value != "" && value != `""` && value != "0" && value != "false" && value != "[]" {
			fmt.Fprintf(out, "   %s: %s\n", name, value)
		} else if strings.HasPrefix(name, "- ") {
			fmt.Fprintf(out, "     %s\n", name)
		}
	}
	fmt.Fprintf(out, "-> %s\n   客户: %s\n", got.Action, say(t, text, got.Sentence, got.Evidence))
	if got.ToManager != "" {
		fmt.Fprintf(out, "   经理: %s\n", sayToManager(t, text, got.ToManager, got.Evidence))
	}
	for i, step := range got.Steps {
		if step != "" {
			fmt.Fprintf(out, "   %d. %s\n", i+1, say(t, text, step.Label(), nil))
		}
	}
	if f := got.FollowUp; f.Node != fund.NoNode {
		way := "forwards"
		if f.Backward {
			way = "backwards"
		}
		fmt.Fprintf(out, "   跟进: %s, %s to %s: %s\n", f.On, way, f.Node, sayToManager(t, text, f.Sentence, nil))
	}
	for i := range got.Evidence {
		e := &got.Evidence[i]
		fmt.Fprintf(out, "   %s = %s (%s, as of %s, %d days old%s)\n", e.Field, e.Value(), e.Source, e.AsOf, e.Stale, over(e.Window))
	}
	fmt.Fprintln(out)
}

func over(w fund.Window) string {
	if w.From == 0 {
		return ""
	}
	return ", over " + w.String()
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got\n%s", path, diff)
	}
}
