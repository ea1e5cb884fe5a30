package training

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/outcome"
	"github.com/fundmatch/fundmatch/matcher/track"
)

// outcomeWindows is how many holdings, one after the other, the shape of a horizon has to be
// of. Those of fewer are the market's that they happened to fall into: the shape that comes
// with the program, which has seen a crash, is kept then.
const outcomeWindows = 8

// Outcome tells which shapes of the ranges foreseen the bank's own NAVs made.
type Outcome struct {
	Products int            `json:"products"` // with NAVs on a clear basis
	Horizons []OutcomeShape `json:"horizons"`
}

// OutcomeShape is one horizon's: of completed holdings, and as many of them as fit into their
// time one after the other. Own: fitted to them; otherwise the one of the program.
type OutcomeShape struct {
	Months   int32   `json:"months"`
	Holdings int32   `json:"holdings"`
	Windows  float64 `json:"windows"`
	Own      bool    `json:"own"`
}

// fitOutcome fits the shapes of the ranges to what is known by the last day. A base that
// foresees nothing is left so.
func (r *running) fitOutcome(ctx context.Context) error {
	if r.base.Settings.Outcome == nil {
		return nil
	}
	products, err := r.outcomeProducts(ctx)
	if err != nil {
		return err
	}
	fitted, err := outcome.Fit(products, r.survey.through.AddDays(1), outcome.DefaultSettings())
	if err != nil {
		return err
	}
	fallback := outcome.Default()
	kept := fitted.OrElse(&fallback, outcomeWindows)
	r.outcomes = &kept
	codes := map[string]bool{}
	for i := range products {
		codes[products[i].Code] = true
	}
	r.toldOutcome = &Outcome{Products: len(codes)}
	for _, s := range fitted.Shapes {
		r.toldOutcome.Horizons = append(r.toldOutcome.Horizons, OutcomeShape{
			Months: s.Months, Holdings: s.Holdings, Windows: s.Windows, Own: s.Windows >= outcomeWindows,
		})
	}
	return nil
}

// outcomeProducts are the records of the pool in force by the last day, one for each stretch
// without a gap, in the pool's order.
func (r *running) outcomeProducts(ctx context.Context) ([]outcome.Product, error) {
	pool, err := r.Store.Pool(ctx, r.pool.revision.ID)
	if err != nil {
		return nil, err
	}
	pieces, until := map[string][]track.Piece{}, r.survey.through.AddDays(1)
	digest, e := sha256.New(), fund.Encoder{}
	err = r.Store.NAVs(ctx, features.Cut{AsOf: r.survey.until(), Seq: r.pool.revision.Seq}, func(code string, navs []fund.NAV) (err error) {
		pieces[code], err = track.Pieces(navs, until)
		if err != nil {
			return fmt.Errorf("product %s: %w", code, err)
		}
		e.Buf = e.Buf[:0]
		e.Text(code)
		for i := range navs {
			e.Int(int64(navs[i].Date))
			e.Fixed64(math.Float64bits(navs[i].Unit))
			e.Fixed64(math.Float64bits(navs[i].Accum))
		}
		_, _ = digest.Write(e.Buf) // a hash takes everything
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.marketHash = [sha256.Size]byte(digest.Sum(nil))
	var out []outcome.Product
	for i := range pool {
		p := &pool[i]
		for _, piece := range pieces[p.Code] {
			out = append(out, outcome.Product{
				Code: p.Code, Class: p.Class(), Series: outcome.Series{Days: piece.Days, Wealth: piece.Wealth},
				Costs: outcome.CostsOf(p, r.base.Settings.Cost.ReferenceAmount),
			})
		}
	}
	return out, nil
}

// outcomeBlock is what stands under outcome in a model's settings.
var outcomeBlock = regexp.MustCompile(`(?m)^outcome:.*\n(?:[ \t]+.*\n|[ \t]*\n)*`)

// withOutcome writes the fitted shapes into the settings, as text beside what else stands
// there. JSON is YAML.
func (r *running) withOutcome(text string) (string, error) {
	if r.outcomes == nil {
		return text, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "outcome:                # ranges of results foreseen from NAVs; shapes of %g windows and more are the bank's own, of NAVs until %s\n",
		float64(outcomeWindows), r.survey.through)
	settings, err := json.Marshal(r.outcomes.Settings)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(&b, "  settings: %s\n  shapes:               # quantiles 5 10 25 50 75 90 95 in units of volatility times the root of years\n", settings)
	for i := range r.outcomes.Shapes {
		shape, err := json.Marshal(&r.outcomes.Shapes[i])
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "    - %s\n", shape)
	}
	text, err = replaceOne(text, outcomeBlock, b.String())
	if err != nil {
		return "", err
	}
	m, err := score.ParseModel([]byte(text))
	if err != nil {
		return "", err
	}
	if m.Settings.Outcome == nil || *m.Settings.Outcome != *r.outcomes {
		return "", fmt.Errorf("%w: the base's outcome is not written as one block", score.ErrModel)
	}
	return text, nil
}
