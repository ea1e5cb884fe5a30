package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
	outcomes "github.com/fundmatch/fundmatch/matcher/score/outcome" // the tests have an outcome of their own
	"github.com/fundmatch/fundmatch/matcher/score/outcome/assess"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// outcomeOptions are the flags of outcome.
type outcomeOptions struct {
	data, json, svg      string
	trainUntil           string
	crashFrom, crashTo   string
	amountFen            int64
	blockMonths, samples int
	seed                 uint64
}

func (p *program) outcomeCommand() *cobra.Command {
	var o outcomeOptions
	cmd := &cobra.Command{
		Use:   "outcome --data DIR",
		Short: "Measure how well ranges of returns and drawdowns were foreseen from NAVs before the entry",
		Long: "Read products.csv and nav.csv of a folder, fit the ranges to holdings that were completed before a day, foresee\n" +
			"every weekly entry of every fund from the NAVs before it, and print how often the drawdown went beyond its range\n" +
			"and the pinball loss against the unconditional past quantile, after the fees of entry and exit: in training,\n" +
			"held out, and in the crash. docs/outcome.md tells the method and its limits.",
		Example: "  fundmatch outcome --data ./cn-funds\n" +
			"  fundmatch outcome --data ./cn-funds --train-until 2015-01-01 --json outcome.json --svg outcome.svg",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.outcome(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder with products.csv and nav.csv, .gz packed or not")
	f.StringVar(&o.json, "json", "", "file to write the report to as JSON")
	f.StringVar(&o.svg, "svg", "", "file to write the figure of the exceedances by month to")
	f.StringVar(&o.trainUntil, "train-until", "2015-06-12", "day before which the holdings that are trained on were completed")
	f.StringVar(&o.crashFrom, "crash-from", "2015-06-12", "first day of the crash")
	f.StringVar(&o.crashTo, "crash-to", "2016-02-29", "last day of the crash")
	f.Int64Var(&o.amountFen, "amount-fen", 5_000_000, "amount of a purchase in fen, which chooses the step of the subscription ladder")
	f.IntVar(&o.blockMonths, "block-months", 3, "entries of so many months are drawn together by the bootstrap")
	f.IntVar(&o.samples, "resamples", 2000, "resamples of the bootstrap")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the bootstrap")
	cmd.AddCommand(p.frontierCommand())
	return cmd
}

// plan reads the flags; the last day of the NAVs is not known yet.
func (o *outcomeOptions) plan() (assess.Plan, error) {
	plan := assess.Plan{BlockMonths: o.blockMonths, Resamples: o.samples, Seed: o.seed}
	for _, d := range [...]struct {
		name, text string
		day        *fund.Date
	}{{"train-until", o.trainUntil, &plan.TrainUntil}, {"crash-from", o.crashFrom, &plan.Crash.From}, {"crash-to", o.crashTo, &plan.Crash.To}} {
		day, err := fund.ParseDate(d.text)
		if err != nil || day == 0 {
			return plan, usageError("--%s: %q, expected a day as YYYY-MM-DD", d.name, d.text)
		}
		*d.day = day
	}
	switch {
	case o.data == "":
		return plan, usageError("--data: expected a folder with products.csv and nav.csv")
	case o.amountFen < 1 || fund.Money(o.amountFen) > fund.MaxMoney:
		return plan, usageError("--amount-fen: %d, expected 1 to %d", o.amountFen, int64(fund.MaxMoney))
	case plan.Crash.To < plan.Crash.From:
		return plan, usageError("--crash-to: %s, expected %s or later", plan.Crash.To, plan.Crash.From)
	case o.blockMonths < 1 || o.blockMonths > assess.MaxBlockMonths:
		return plan, usageError("--block-months: %d, expected 1 to %d", o.blockMonths, assess.MaxBlockMonths)
	case o.samples < 1 || o.samples > assess.MaxResamples:
		return plan, usageError("--resamples: %d, expected 1 to %d", o.samples, assess.MaxResamples)
	}
	return plan, nil
}

func (p *program) outcome(ctx context.Context, o *outcomeOptions) error {
	plan, err := o.plan()
	if err != nil {
		return err
	}
	for _, out := range []string{o.json, o.svg} {
		if out == "" {
			continue
		}
		if err := mayReplace(out); err != nil {
			return err
		}
	}
	if o.json != "" && (sameFile(o.json, o.svg) || filepath.Clean(o.json) == filepath.Clean(o.svg)) {
		return usageError("--svg: %s is the report, expected another name", o.svg)
	}
	folder, err := dataset.Open(o.data)
	if err != nil {
		return err
	}
	for _, in := range folder.Files() {
		if err := mayWrite("--data", filepath.Join(o.data, in), o.json, o.svg); err != nil {
			return err // before the bank's own files are replaced
		}
	}
	series, err := folder.ReadNAVSeries(ctx)
	if err != nil {
		return err
	}
	products, unclear, err := outcomeProducts(series, fund.Money(o.amountFen))
	if err != nil {
		return err
	}
	for i := range products {
		if days := products[i].Series.Days; len(days) > 0 {
			plan.Until = max(plan.Until, days[len(days)-1].AddDays(1))
		}
	}
	if plan.Until <= plan.TrainUntil {
		return usageError("--train-until: %s, expected a day before the last NAV, %s", plan.TrainUntil, plan.Until.AddDays(-1))
	}
	report, err := assess.Run(products, plan, outcomes.DefaultSettings())
	if err != nil {
		return err
	}
	p.note("%s with NAVs, %d of them left out: their accumulated NAV is on no clear basis (docs/track.md)", plural(len(series), "product", "products"), unclear)
	return p.tellMeasured(report, o.json, o.svg)
}

// outcomeProducts turns NAVs into what one yuan was worth: a product for each part of a
// fund's series between gaps. A fund whose NAVs are on no clear basis counts for nothing: no
// figure of it can be trusted.
func outcomeProducts(series []dataset.NAVSeries, amount fund.Money) (products []outcomes.Product, unclear int, err error) {
	for i := range series {
		s := &series[i]
		pieces, err := track.Pieces(s.NAVs, s.NAVs[len(s.NAVs)-1].Date.AddDays(1))
		if err != nil {
			return nil, 0, usageError("nav.csv: product %s: %v", s.Product.Code, err)
		}
		if len(pieces) == 0 {
			unclear++
		}
		for _, piece := range pieces {
			products = append(products, outcomes.Product{
				Code: s.Product.Code, Class: s.Product.Class(), Costs: outcomes.CostsOf(&s.Product, amount),
				Series: outcomes.Series{Days: piece.Days, Wealth: piece.Wealth},
			})
		}
	}
	return products, unclear, nil
}
