package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

func (p *program) rulesShowCommand() *cobra.Command {
	var o artifactOptions
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show the rules in force at an instant: which entry, of which book, and when the next one begins or ends",
		Example: "  fundmatch rules show\n  fundmatch rules show --at 2026-02-01T00:00:00+08:00 --json\n" +
			"  fundmatch rules show bank-rules.yaml",
		Args: arguments(1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.rulesShow(cmd.Context(), args, &o)
		},
	}
	o.addStore(cmd)
	o.addJSON(cmd)
	cmd.Flags().StringVar(&o.at, "at", "", "the instant, RFC 3339 (default now); of the past: by the pack that was in force then")
	return cmd
}

// showAnswer is what rules show --json prints.
type showAnswer struct {
	Name      string       `json:"name"`
	Version   string       `json:"version"`
	ID        string       `json:"id"`         // of the published pack; empty: a file
	Published *published   `json:"published"`  // null: a file
	At        string       `json:"at"`         // the instant that was asked for
	Next      string       `json:"nextChange"` // when the next entry begins or ends; empty: none does
	Rules     []ruleAnswer `json:"rules"`      // in the pack's order
	NotInIt   []string     `json:"notInForce"` // rules of this program without an entry in force

	at, next fund.Instant
}

// ruleAnswer is the entry of a rule that holds at the instant.
type ruleAnswer struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Says       string            `json:"says"`
	Books      []string          `json:"books"` // whose products it is for
	From       string            `json:"effectiveFrom"`
	Until      string            `json:"effectiveTo"`
	Enabled    bool              `json:"enabled"`
	Outcomes   map[string]string `json:"outcome"` // by situation; empty: other code reads the rule
	Parameters []parameterAnswer `json:"parameters"`
	Citation   string            `json:"citation"`
	SourceMark int               `json:"sourceMark"`

	from, until fund.Instant
	outcomes    eligibility.Outcomes
}

type parameterAnswer struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Says  string `json:"says"`
	Unit  string `json:"unit"`
}

func (p *program) rulesShow(ctx context.Context, args []string, o *artifactOptions) error {
	at, err := o.instant(p.now())
	if err != nil {
		return err
	}
	var a showAnswer
	if len(args) == 1 {
		pack, _, err := readPackFile(args[0])
		if err != nil {
			return err
		}
		a = newShowAnswer(pack, at)
	} else {
		store, err := openArtifacts(ctx, o.store)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }() // read only
		pack, err := packAt(ctx, store, at)
		if err != nil {
			return err
		}
		a = newShowAnswer(pack.Pack, at)
		a.ID, a.Published = pack.id, newPublished(pack.last)
	}
	if o.json {
		return p.printJSON(a)
	}
	var c card
	c.rules(&a)
	return c.writeTo(p.stdout)
}

func newShowAnswer(pack *eligibility.Pack, at fund.Instant) showAnswer {
	a := showAnswer{Name: pack.Name, Version: pack.Version, At: at.String(), at: at, Rules: []ruleAnswer{}, NotInIt: []string{}}
	for _, b := range slices.Backward(pack.Boundaries()) {
		if b > at {
			a.next, a.Next = b, b.String()
		}
	}
	for i := range pack.Rules {
		if r := &pack.Rules[i]; len(booksOf(pack, r, at)) > 0 {
			a.Rules = append(a.Rules, newRuleAnswer(pack, r, at))
		}
	}
	for _, id := range eligibility.RuleIDs() {
		if !slices.ContainsFunc(a.Rules, func(r ruleAnswer) bool { return r.ID == string(id) && r.Enabled }) {
			a.NotInIt = append(a.NotInIt, string(id))
		}
	}
	return a
}

func newRuleAnswer(pack *eligibility.Pack, r *eligibility.Rule, at fund.Instant) ruleAnswer {
	d := eligibility.Describe(r.ID)
	a := ruleAnswer{
		ID: string(r.ID), Name: d.Name, Says: d.Says, From: r.From.String(), Enabled: r.Enabled, Outcomes: map[string]string{},
		Parameters: []parameterAnswer{}, Citation: r.Citation, SourceMark: r.SourceMark, from: r.From, until: r.Until, outcomes: r.Outcomes,
	}
	if r.Until != fund.Forever {
		a.Until = r.Until.String()
	}
	for _, b := range booksOf(pack, r, at) {
		a.Books = append(a.Books, b.String())
	}
	if r.Outcomes != (eligibility.Outcomes{}) {
		for s, outcome := range r.Outcomes {
			a.Outcomes[eligibility.Situation(s).String()] = outcome.String()
		}
	}
	for _, v := range r.Parameters {
		said := eligibility.DescribeParameter(r.ID, v.Name)
		a.Parameters = append(a.Parameters, parameterAnswer{v.Name, v.Value, said.Says, said.Unit})
	}
	return a
}

// booksOf says for whose products an entry holds at an instant: a book's own entry stands
// before one of both.
func booksOf(pack *eligibility.Pack, r *eligibility.Rule, at fund.Instant) []eligibility.Book {
	holds := func(r *eligibility.Rule) bool { return r.From <= at && at < r.Until }
	if !holds(r) {
		return nil
	}
	var books []eligibility.Book
	for b := range eligibility.Books {
		own := slices.ContainsFunc(pack.Rules, func(o eligibility.Rule) bool { return o.ID == r.ID && o.Book == b && holds(&o) })
		if r.Book == b || r.Book == eligibility.BothBooks && !own {
			books = append(books, b)
		}
	}
	return books
}

// rules writes what is in force as a compliance officer reads it.
func (c *card) rules(a *showAnswer) {
	c.line(0, "规则包　%s　版本 %s", a.Name, a.Version)
	if a.Published != nil {
		c.line(0, "编号　%s", a.ID)
		c.line(0, "启用　%s　%s　%s", shanghai(a.Published.at.Time()), a.Published.By, a.Published.Note)
	}
	next := "没有"
	if a.next != 0 {
		next = shanghai(a.next.Time())
	}
	c.line(0, "时点　%s　下一次变更　%s", shanghai(a.at.Time()), next)
	for i := range a.Rules {
		c.rule(&a.Rules[i])
	}
	if len(a.NotInIt) > 0 {
		c.line(0, "")
		c.line(0, "此时没有生效的规则　%s", strings.Join(a.NotInIt, " "))
	}
}

func (c *card) rule(r *ruleAnswer) {
	state := ""
	if !r.Enabled {
		state = "　停用"
	}
	c.line(0, "")
	c.line(0, "%s　%s　%s%s%s", r.ID, r.Name, bookNames(r.Books), period(r), state)
	c.line(1, "%s", r.Says)
	if len(r.Outcomes) > 0 {
		for s, outcome := range r.outcomes {
			c.line(1, "%s　%s %s", eligibility.Situation(s).Words(), outcome.String(), outcome.Words())
		}
	}
	for _, v := range r.Parameters {
		c.line(1, "参数　%s　%s = %s%s", v.Says, v.Name, v.Value, strings.TrimRight(" "+v.Unit, " "))
	}
	c.line(1, "依据　%s（来源标记 %d）", r.Citation, r.SourceMark)
}

func bookNames(books []string) string {
	if len(books) == int(eligibility.Books) {
		return eligibility.BothBooks.Words()
	}
	if books[0] == eligibility.CSRC.String() {
		return eligibility.CSRC.Words()
	}
	return eligibility.NFRA.Words()
}

// period says from when to when an entry holds; nothing of one that holds always.
func period(r *ruleAnswer) string {
	out := ""
	if r.from != 0 {
		out += "　自 " + shanghai(r.from.Time())
	}
	if r.until != fund.Forever {
		out += "　至 " + shanghai(r.until.Time())
	}
	return out
}
