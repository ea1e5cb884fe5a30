package fund_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// fullProduct has every field set, each to another value, so that two fields which
// change places in the encoding are seen.
func fullProduct() *fund.Product {
	return &fund.Product{
		Code: "000001", Name: "华夏成长混合A", Type: "混合型-偏股", ShareClass: "A", ParentCode: "000000",
		Parties: fund.Parties{Issuer: "华夏基金", ManagerName: "王某", ManagerSince: 20150102, Size: 3_000_000_000_00},
		Grades:  fund.Grades{Bank: fund.R3, Issuer: fund.R4},
		Listing: fund.Listing{
			Kind: fund.PublicFund, Status: fund.Limited, PoolFrom: 20180101, PoolTo: 20300101,
			DueDiligenceID: "DD-7", KeyFactsVersion: "2026-03",
		},
		Terms: fund.Terms{
			LaunchedOn: 20011218, ClosedUntil: 20020318, NextOpenOn: 20020319, MinPurchase: 1000, DayLimit: 100_000_00, LockupDays: 180,
		},
		Fees: fund.FeeSchedule{
			Subscription: []fund.SubscriptionTier{{Below: 100_000_000, Rate: 150}, {Fixed: 100_000}}, DiscountPct: 90,
			Redemption: []fund.RedemptionTier{{Below: 7, Rate: 151}, {Rate: 1}}, Management: 120, Custody: 20, Service: 40,
		},
		Content: fund.Content{
			Goals: fund.GoalSet(0).With(fund.Growth).With(fund.Education), Themes: []string{"消费", "医药"}, Benchmark: "沪深300",
			Attributes: []fund.Attribute{{Name: "isin", Value: "CN0001"}},
		},
		Missing: fund.FieldSet(0).With(fund.FieldGoals).With(fund.FieldKind),
	}
}

func TestProductSurvivesItsEncoding(t *testing.T) {
	for name, p := range map[string]*fund.Product{"full": fullProduct(), "zero": {}} {
		got, err := fund.ParseProduct(fund.AppendProduct(nil, p))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(p, got); d != "" {
			t.Errorf("%s changed on its way (-written +read):\n%s", name, d)
		}
	}
}

// The bytes are what pool revisions are hashed over, for years: they may not change
// without a new version byte.
func TestProductBytesOfVersionOne(t *testing.T) {
	p := &fund.Product{Code: "X", Grades: fund.Grades{Bank: fund.R2}, Listing: fund.Listing{Status: fund.Open}}
	const want = "01" + "0158" + "000000000000" + "0000" + "0200" + "000200000000" + "000000000000" + "00000000" + "0000" + "00000000" + "00"
	if got := hex.EncodeToString(fund.AppendProduct(nil, p)); got != want {
		t.Errorf("bytes\n%s, want\n%s", got, want)
	}
}

func TestParseProductRefuses(t *testing.T) {
	good := fund.AppendProduct(nil, fullProduct())
	newer := bytes.Clone(good)
	newer[0]++
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":          {nil, fund.ErrMalformed},
		"version 0":        {[]byte{0}, fund.ErrMalformed},
		"a newer version":  {newer, fund.ErrNewerVersion},
		"a cut":            {good[:len(good)-1], fund.ErrMalformed},
		"a byte too many":  {append(bytes.Clone(good), 0), fund.ErrMalformed},
		"an unknown field": {append(bytes.Clone(good[:len(good)-3]), 0xff, 0xff, 0xff, 0x7f), fund.ErrMalformed},
	} {
		if _, err := fund.ParseProduct(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

func TestDifferentProductsHaveDifferentBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) *fund.Product {
			p := fullProduct()
			p.Name = rapid.SampledFrom([]string{"", "a", "ab"}).Draw(t, label+" name")
			p.Type = rapid.SampledFrom([]string{"", "a", "b", "ba"}).Draw(t, label+" type")
			p.Terms.LockupDays = rapid.Int32().Draw(t, label+" lockup")
			p.Content.Themes = rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "ab"}), 0, 3).Draw(t, label+" themes")
			if len(p.Content.Themes) == 0 {
				p.Content.Themes = nil
			}
			return p
		}
		a, b := draw("a"), draw("b")
		same := bytes.Equal(fund.AppendProduct(nil, a), fund.AppendProduct(nil, b))
		if same != cmp.Equal(a, b) {
			t.Fatalf("equal bytes: %v, for\n%+v\n%+v", same, a, b)
		}
	})
}

// What parses has one encoding or is refused: never a panic, never another product.
func FuzzParseProduct(f *testing.F) {
	f.Add(fund.AppendProduct(nil, fullProduct()))
	f.Add(fund.AppendProduct(nil, &fund.Product{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := fund.ParseProduct(b)
		if err != nil {
			return
		}
		again, err := fund.ParseProduct(fund.AppendProduct(nil, p))
		if err != nil || !cmp.Equal(p, again) {
			t.Fatalf("%+v was read back as %+v, %v", p, again, err)
		}
	})
}
