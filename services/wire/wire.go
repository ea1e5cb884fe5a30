// Package wire turns the nouns that several services show into messages of the API:
// products, facts, revisions, instants. It decides nothing (decision 0003).
package wire

import (
	"encoding/hex"
	"strconv"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Evidence presents facts in their order.
func Evidence(facts []fund.Evidence) []*fundmatchv1.Evidence {
	out := make([]*fundmatchv1.Evidence, len(facts))
	for i := range facts {
		f := &facts[i]
		out[i] = &fundmatchv1.Evidence{
			Field: f.Field, Value: f.Value(), Unit: f.Unit.String(), Window: f.Window.String(), AsOf: f.AsOf.String(),
			StaleDays: f.Stale, Source: f.Source, DocumentId: f.Document,
		}
	}
	return out
}

// Product presents the product at a place of a core.
func Product(core *matcher.Core, place int) *fundmatchv1.ProductSummary {
	out := new(fundmatchv1.ProductSummary)
	FillProduct(out, core, place)
	return out
}

// FillProduct does what Product does, into a message of the caller's.
func FillProduct(out *fundmatchv1.ProductSummary, core *matcher.Core, place int) {
	p := core.Product(place)
	out.Code, out.Name, out.Type, out.RiskGrade, out.ShareClass = p.Code, p.Name, p.Type, p.Grades.Effective().String(), p.ShareClass
	out.Issuer, out.FundCode, out.Status, out.NewIssue = p.Parties.Issuer, p.FundCode(), p.Listing.Status.String(), core.IsNewIssue(place)
	out.KeyFactsVersion = p.Listing.KeyFactsVersion
}

// Revisions presents what a core was compiled from.
func Revisions(id matcher.Identity) *fundmatchv1.Revisions {
	return &fundmatchv1.Revisions{
		Pool: strconv.FormatUint(id.PoolRevision, 10), Model: id.ModelID, Rules: id.RulesID, Engine: id.Engine,
		CoreAsOf: Timestamp(id.AsOf), DataSeq: id.DataSeq, Wording: id.WordingID,
	}
}

// Contributions presents the addends of a score in their order.
func Contributions(cs []score.Contribution) []*fundmatchv1.Contribution {
	out := make([]*fundmatchv1.Contribution, len(cs))
	for i, c := range cs {
		out[i] = &fundmatchv1.Contribution{Feature: c.Feature.String(), Value: c.Value, Weight: c.Weight, Contribution: c.Amount}
	}
	return out
}

// Timestamp presents an instant; nil when it is unknown or open.
func Timestamp(i fund.Instant) *timestamppb.Timestamp {
	if i == 0 || i == fund.Forever {
		return nil
	}
	return &timestamppb.Timestamp{Seconds: int64(i) / 1e6, Nanos: int32(int64(i) % 1e6 * 1000)}
}

// Hash presents a hash in lower-case hexadecimal.
func Hash(h [32]byte) string { return hex.EncodeToString(h[:]) }
