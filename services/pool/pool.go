// Package pool answers PoolService: what the head office's published pool holds.
package pool

import (
	"context"
	"encoding/base64"
	"sort"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// Cores gives the core in force. *engine.Engine is one.
type Cores interface {
	// Core gives a core and an instant that it speaks for: now.
	Core() (*matcher.Core, fund.Instant, error)
	// Degraded reports whether the newest publication did not compile.
	Degraded() bool
}

// The sizes of a page.
const (
	DefaultPageSize = 50
	MaxPageSize     = 500
)

// Service implements fundmatchv1.PoolServiceServer.
type Service struct {
	fundmatchv1.UnimplementedPoolServiceServer
	cores Cores
}

// New returns a service.
func New(cores Cores) *Service { return &Service{cores: cores} }

// ListProducts implements the RPC. A page's token names the last code of the page
// before, so that a pool that changes meanwhile neither repeats nor skips products that
// are in both.
func (s *Service) ListProducts(_ context.Context, r *fundmatchv1.ListProductsRequest) (*fundmatchv1.ListProductsResponse, error) {
	size := int(r.GetPageSize())
	if size == 0 {
		size = DefaultPageSize
	}
	if size < 1 || size > MaxPageSize {
		return nil, features.Invalid("pageSize", strconv.Itoa(size), "1 to "+strconv.Itoa(MaxPageSize))
	}
	after, err := base64.RawURLEncoding.DecodeString(r.GetPageToken())
	if err != nil || len(after) > 0 && fund.CheckID(string(after)) != nil {
		return nil, features.Invalid("pageToken", r.GetPageToken(), "the nextPageToken of an answer")
	}
	core, _, err := s.cores.Core()
	if err != nil {
		return nil, err
	}
	first := sort.Search(core.Len(), func(i int) bool { return core.Product(i).Code > string(after) })
	end := min(first+size, core.Len())
	out := &fundmatchv1.ListProductsResponse{TotalSize: int32(core.Len())}
	for i := first; i < end; i++ {
		out.Products = append(out.Products, wire.Product(core, i))
	}
	if end > first && end < core.Len() {
		out.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(core.Product(end - 1).Code))
	}
	return out, nil
}

// GetProduct implements the RPC.
func (s *Service) GetProduct(_ context.Context, r *fundmatchv1.GetProductRequest) (*fundmatchv1.GetProductResponse, error) {
	if fund.CheckID(r.GetProductCode()) != nil {
		return nil, features.Invalid("productCode", r.GetProductCode(), "a product code of 1 to 64 of 0-9 A-Z a-z . _ -")
	}
	core, _, err := s.cores.Core()
	if err != nil {
		return nil, err
	}
	place, ok := core.Find(r.GetProductCode())
	if !ok {
		return nil, &features.NotFoundError{Kind: features.ProductKind, ID: r.GetProductCode()}
	}
	p := core.Product(place)
	out := &fundmatchv1.GetProductResponse{
		Product: wire.Product(core, place), BankGrade: p.Grades.Bank.String(), IssuerGrade: p.Grades.Issuer.String(),
		SubscriptionLadder: fund.FormatSubscriptionLadder(p.Fees.Subscription), RedemptionLadder: fund.FormatRedemptionLadder(p.Fees.Redemption),
		DiscountPct: p.Fees.DiscountPct, ManagementBps: int32(p.Fees.Management), CustodyBps: int32(p.Fees.Custody), ServiceBps: int32(p.Fees.Service),
		MinPurchaseFen: int64(p.Terms.MinPurchase), DayLimitFen: int64(p.Terms.DayLimit), LockupDays: p.Terms.LockupDays,
		Themes: p.Content.Themes, Benchmark: p.Content.Benchmark, Evidence: wire.Evidence(core.ProductFacts(place)),
		Admission: wire.Admitted, Quarantine: wire.Quarantine(core, place),
	}
	if len(out.GetQuarantine()) > 0 {
		out.Admission = wire.InQuarantine
	}
	for _, g := range p.Content.Goals.Goals() {
		out.Goals = append(out.Goals, g.String())
	}
	for _, f := range core.Assumed(place) {
		out.Assumed = append(out.Assumed, f.String())
	}
	for _, i := range core.Classes(place) {
		if int(i) != place {
			out.ShareClasses = append(out.ShareClasses, core.Product(int(i)).Code)
		}
	}
	return out, nil
}

// GetPool implements the RPC.
func (s *Service) GetPool(context.Context, *fundmatchv1.GetPoolRequest) (*fundmatchv1.GetPoolResponse, error) {
	core, _, err := s.cores.Core()
	if err != nil {
		return nil, err
	}
	_, until := core.Validity()
	return &fundmatchv1.GetPoolResponse{
		Revisions: wire.Revisions(core.Identity()), Products: int32(core.Len()), ValidUntil: wire.Timestamp(until), Degraded: s.cores.Degraded(),
		Quarantined: wire.Quarantined(core),
	}, nil
}
