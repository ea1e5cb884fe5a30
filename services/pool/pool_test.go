package pool_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/pool"
)

const products = 60

// cores answers with whatever core a test puts in.
type cores struct {
	core     *matcher.Core
	err      error
	degraded bool
}

func (c *cores) Core() (*matcher.Core, fund.Instant, error) {
	if c.err != nil {
		return nil, 0, c.err
	}
	from, _ := c.core.Validity()
	return c.core, from, nil
}

func (c *cores) Degraded() bool { return c.degraded }

// market is a store with the pool of a synthetic bank.
type market struct {
	store  *memory.Store
	loader *engine.Loader
	at     fund.Instant
}

func openMarket(tb testing.TB) *market {
	tb.Helper()
	opts := synthetic.Options{Customers: 30, Products: products, Seed: 3, AsOf: fund.Date(20260310)}
	m := &market{store: memory.New(), at: opts.AsOf.Start() + fund.Instant(10*time.Hour/time.Microsecond)}
	generated, err := synthetic.Generate(opts)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := m.store.Import(tb.Context(), m.at, generated.Load); err != nil {
		tb.Fatal(err)
	}
	if err := engine.InstallDefaults(tb.Context(), m.store, m.at); err != nil {
		tb.Fatal(err)
	}
	if m.loader, err = engine.NewLoader(m.store, m.store, "test"); err != nil {
		tb.Fatal(err)
	}
	return m
}

// compile makes a core of what the store holds now.
func (m *market) compile(tb testing.TB) *matcher.Core {
	tb.Helper()
	core, err := m.loader.Newest(tb.Context(), m.at)
	if err != nil {
		tb.Fatal(err)
	}
	return core
}

// publish adds products to the pool.
func (m *market) publish(tb testing.TB, codes ...string) {
	tb.Helper()
	_, err := m.store.Import(tb.Context(), m.at, func(b features.Batch) error {
		var rows []fund.Product
		for _, code := range codes {
			rows = append(rows, fund.Product{Code: code, Name: "新基金", Type: "混合型-偏股", Grades: fund.Grades{Bank: fund.R3}})
		}
		return b.Products(rows)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// page asks for one page and returns its codes.
func page(tb testing.TB, s *pool.Service, size int32, token string) ([]string, *fundmatchv1.ListProductsResponse) {
	tb.Helper()
	got, err := s.ListProducts(tb.Context(), &fundmatchv1.ListProductsRequest{PageSize: size, PageToken: token})
	if err != nil {
		tb.Fatal(err)
	}
	var codes []string
	for _, p := range got.GetProducts() {
		codes = append(codes, p.GetCode())
	}
	return codes, got
}

func codesOf(core *matcher.Core) []string {
	var all []string
	for i := range core.Len() {
		all = append(all, core.Product(i).Code)
	}
	return all
}

// TestPagesAreComplete: pages of any size hold every product once, in code order.
func TestPagesAreComplete(t *testing.T) {
	t.Parallel()
	core := openMarket(t).compile(t)
	s := pool.New(&cores{core: core})
	want := codesOf(core)
	for _, size := range []int32{0, 1, 7, products - 1, products, products + 1, pool.MaxPageSize} {
		var all []string
		for token, pages := "", 0; ; pages++ {
			codes, got := page(t, s, size, token)
			if int(got.GetTotalSize()) != len(want) || pages > len(want) {
				t.Fatalf("size %d: total %d, page %d", size, got.GetTotalSize(), pages)
			}
			all = append(all, codes...)
			if token = got.GetNextPageToken(); token == "" {
				break
			}
			if len(codes) == 0 || size > 0 && len(codes) != int(size) {
				t.Fatalf("size %d: a page of %d that is not the last", size, len(codes))
			}
		}
		if !slices.Equal(all, want) {
			t.Errorf("size %d: %v, expected %v", size, all, want)
		}
	}
}

// TestPagesAreStable: a pool that changes between pages neither repeats nor skips a
// product that is in both.
func TestPagesAreStable(t *testing.T) {
	t.Parallel()
	m := openMarket(t)
	before := m.compile(t)
	m.publish(t, "000001", "900020X", "A00001", "ZZZZ")
	after := m.compile(t)
	if after.Len() != before.Len()+4 {
		t.Fatalf("%d products, then %d", before.Len(), after.Len())
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := int32(rapid.IntRange(1, 25).Draw(rt, "size"))
		changeAt := rapid.IntRange(0, 10).Draw(rt, "change after page")
		c := &cores{core: before}
		s := pool.New(c)
		var all []string
		for token, pages := "", 0; ; pages++ {
			if pages == changeAt {
				c.core = after
			}
			codes, got := page(t, s, size, token)
			all = append(all, codes...)
			if token = got.GetNextPageToken(); token == "" {
				break
			}
		}
		if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			rt.Fatalf("repeated or out of order: %v", all)
		}
		for _, code := range codesOf(before) {
			if !slices.Contains(all, code) {
				rt.Fatalf("%s is in both pools and on no page: %v", code, all)
			}
		}
	})
}

// FuzzPageToken: no token is a panic, and what is accepted goes on in order.
func FuzzPageToken(f *testing.F) {
	s := pool.New(&cores{core: openMarket(f).compile(f)})
	for _, code := range []string{"", "900001", "900001\x00", "~"} {
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(code)))
	}
	f.Add("***")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := s.ListProducts(t.Context(), &fundmatchv1.ListProductsRequest{PageToken: token})
		var invalid *features.InvalidError
		if err != nil && (!errors.As(err, &invalid) || invalid.Field != "pageToken") {
			t.Fatal(err)
		}
		after, _ := base64.RawURLEncoding.DecodeString(token)
		for _, p := range got.GetProducts() {
			if p.GetCode() <= string(after) {
				t.Fatalf("%s comes after %q", p.GetCode(), after)
			}
		}
	})
}

// TestRefused names what a caller asked wrongly.
func TestRefused(t *testing.T) {
	t.Parallel()
	c := &cores{core: openMarket(t).compile(t)}
	s := pool.New(c)
	list := func(size int32, token string) error {
		_, err := s.ListProducts(t.Context(), &fundmatchv1.ListProductsRequest{PageSize: size, PageToken: token})
		return err
	}
	get := func(code string) error {
		_, err := s.GetProduct(t.Context(), &fundmatchv1.GetProductRequest{ProductCode: code})
		return err
	}
	for want, err := range map[string]error{
		`pageSize: "501", expected 1 to 500`: list(pool.MaxPageSize+1, ""),
		`pageSize: "-1", expected 1 to 500`:  list(-1, ""),
		`pageToken: "!", expected the next`:  list(0, "!"),
		`productCode: "", expected`:          get(""),
		`productCode: "a b", expected`:       get("a b"),
		`PRODUCT "999999": not found`:        get("999999"),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, expected %s...", err, want)
		}
	}
	c.err = engine.ErrNoCore
	_, noPool := s.GetPool(t.Context(), &fundmatchv1.GetPoolRequest{})
	for _, err := range []error{list(0, ""), get("900001"), noPool} {
		if !errors.Is(err, engine.ErrNoCore) {
			t.Errorf("%v, expected %v", err, engine.ErrNoCore)
		}
	}
}

// TestProduct shows what the bank published: terms as in the dataset, dated record,
// classes of the same fund, what was assumed.
func TestProduct(t *testing.T) {
	t.Parallel()
	core := openMarket(t).compile(t)
	s := pool.New(&cores{core: core})
	for i := range core.Len() {
		p := core.Product(i)
		got, err := s.GetProduct(t.Context(), &fundmatchv1.GetProductRequest{ProductCode: p.Code})
		if err != nil {
			t.Fatal(err)
		}
		if err := sameProduct(core, i, got); err != nil {
			t.Errorf("%s: %v", p.Code, err)
		}
	}
}

func sameProduct(core *matcher.Core, place int, got *fundmatchv1.GetProductResponse) error {
	p := core.Product(place)
	if s := got.GetProduct(); s.GetCode() != p.Code || s.GetName() != p.Name || s.GetRiskGrade() != p.Grades.Effective().String() || s.GetNewIssue() != core.IsNewIssue(place) {
		return fmt.Errorf("summary %v", s)
	}
	ladder, err := fund.ParseSubscriptionLadder(got.GetSubscriptionLadder())
	if err != nil || fund.FormatSubscriptionLadder(ladder) != fund.FormatSubscriptionLadder(p.Fees.Subscription) {
		return fmt.Errorf("subscription ladder %q: %w", got.GetSubscriptionLadder(), err)
	}
	if len(got.GetShareClasses()) != len(core.Classes(place))-1 || slices.Contains(got.GetShareClasses(), p.Code) {
		return fmt.Errorf("share classes %v", got.GetShareClasses())
	}
	if len(got.GetAssumed()) != len(core.Assumed(place)) || len(got.GetGoals()) != len(p.Content.Goals.Goals()) {
		return fmt.Errorf("assumed %v, goals %v", got.GetAssumed(), got.GetGoals())
	}
	if len(got.GetEvidence()) == 0 {
		return errors.New("no evidence")
	}
	for _, e := range got.GetEvidence() {
		if e.GetField() == "" || e.GetAsOf() == "" || e.GetSource() == "" {
			return fmt.Errorf("a fact without name, date or source: %v", e)
		}
	}
	return nil
}

func TestPool(t *testing.T) {
	t.Parallel()
	core := openMarket(t).compile(t)
	c := &cores{core: core, degraded: true}
	got, err := pool.New(c).GetPool(t.Context(), &fundmatchv1.GetPoolRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, until := core.Validity()
	if got.GetProducts() != products || !got.GetDegraded() || !got.GetValidUntil().AsTime().Equal(until.Time()) || got.GetRevisions().GetRules() != core.Identity().RulesID {
		t.Errorf("%v", got)
	}
}

// What breaks a rule of admission stays in the pool, is listed with rule, value and sentence,
// and says so itself; the rest is admitted.
func TestQuarantineIsListed(t *testing.T) {
	t.Parallel()
	m := openMarket(t)
	core := m.compile(t)
	service := pool.New(&cores{core: core})
	listed, err := service.GetPool(t.Context(), &fundmatchv1.GetPoolRequest{})
	if err != nil {
		t.Fatal(err)
	}
	byCode := map[string][]*fundmatchv1.QuarantineFinding{}
	for _, f := range listed.GetQuarantined() {
		if f.GetRuleId() == "" || f.GetReason() == "" || f.GetText() == "" {
			t.Errorf("a finding without words: %v", f)
		}
		byCode[f.GetProductCode()] = append(byCode[f.GetProductCode()], f)
	}
	if len(byCode) == 0 || len(byCode) == core.Len() {
		t.Fatalf("%d of %d products in quarantine: nothing is tried", len(byCode), core.Len())
	}
	for i := range core.Len() {
		code := core.Product(i).Code
		got, err := service.GetProduct(t.Context(), &fundmatchv1.GetProductRequest{ProductCode: code})
		if err != nil {
			t.Fatal(err)
		}
		want := "ADMITTED"
		if len(byCode[code]) > 0 {
			want = "QUARANTINED"
		}
		if got.GetAdmission() != want || len(got.GetQuarantine()) != len(byCode[code]) {
			t.Errorf("%s: %s with %d findings, listed with %d", code, got.GetAdmission(), len(got.GetQuarantine()), len(byCode[code]))
		}
	}
}
