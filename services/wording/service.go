// Package wording answers fundmatch.v1.WordingService: a text for customers held against
// the text rules in force. Nothing is recorded: the text is nobody's yet.
package wording

import (
	"context"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/wording"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

const (
	// MaxText bounds a text, in bytes of UTF-8.
	MaxText = 1 << 20
	// MaxBody bounds the JSON that such a text may come in: \u00XX is six bytes for one,
	// and around the text stand a few names.
	MaxBody = 6*MaxText + 4<<10
)

// Cores gives the core in force, whose rule pack says which text rules are. *engine.Engine
// is one.
type Cores interface {
	// Core gives a core and an instant that it speaks for: now.
	Core() (*matcher.Core, fund.Instant, error)
}

// Service implements fundmatchv1.WordingServiceServer.
type Service struct {
	fundmatchv1.UnimplementedWordingServiceServer
	cores  Cores
	linter *wording.Linter
}

// New returns a service.
func New(cores Cores, linter *wording.Linter) *Service { return &Service{cores: cores, linter: linter} }

// Lint implements the RPC. Errors: *features.InvalidError.
func (s *Service) Lint(_ context.Context, r *fundmatchv1.LintRequest) (*fundmatchv1.LintResponse, error) {
	if n := len(r.GetText()); n > MaxText {
		return nil, features.Invalid("text", strconv.Itoa(n)+" bytes", "at most "+strconv.Itoa(MaxText)+" bytes of UTF-8")
	}
	kind, err := parseKind(r.GetKind())
	if err != nil {
		return nil, err
	}
	found := s.linter.LintRules(r.GetText(), kind, s.enabled())
	out := &fundmatchv1.LintResponse{Findings: make([]*fundmatchv1.LintFinding, len(found))}
	for i := range found {
		f := &found[i]
		out.Findings[i] = &fundmatchv1.LintFinding{
			Rule: f.Rule, Line: int32(f.Line), Start: int32(f.Start), End: int32(f.End), Text: f.Text, Why: f.Why, Instead: f.Instead,
		}
	}
	return out, nil
}

// enabled are the rules that the pack in force has on; all of them while there is none: a
// text needs no pool to be judged, and nothing is let through because there is none.
func (s *Service) enabled() wording.RuleSet {
	core, _, err := s.cores.Core()
	if err != nil {
		return wording.AllRules()
	}
	return core.TextRules()
}

func parseKind(code string) (wording.TextKind, error) {
	switch code {
	case "", "SALES_TEXT":
		return wording.SalesText, nil
	case "PRODUCT_TEMPLATE":
		return wording.ProductTemplate, nil
	default:
		return 0, features.Invalid("kind", code, "SALES_TEXT or PRODUCT_TEMPLATE")
	}
}
