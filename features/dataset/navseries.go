package dataset

import (
	"cmp"
	"context"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// NAVSeries are the NAVs of one product in the order of their days.
type NAVSeries struct {
	Product fund.Product
	NAVs    []fund.NAV
}

// ReadNAVSeries reads a folder's products that have NAVs, in the order of products.csv,
// with their NAVs. It holds all NAVs in memory: 24 bytes each. A bad row, a product without
// a row in products.csv, and a folder that lacks one of the two files are an *Error.
func (f *Folder) ReadNAVSeries(ctx context.Context) ([]NAVSeries, error) {
	navs := map[string][]fund.NAV{}
	err := eachRow(ctx, f, "nav.csv", ReadNAVs, func(row *NAVRow) {
		navs[row.ProductCode] = append(navs[row.ProductCode], row.NAV)
	})
	if err != nil {
		return nil, err
	}
	var out []NAVSeries
	err = eachRow(ctx, f, "products.csv", ReadProducts, func(p *fund.Product) {
		if series, ok := navs[p.Code]; ok {
			slices.SortFunc(series, func(a, b fund.NAV) int { return cmp.Compare(a.Date, b.Date) })
			out = append(out, NAVSeries{Product: *p, NAVs: series})
			delete(navs, p.Code)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(navs) > 0 {
		code := slices.Min(slices.Collect(maps.Keys(navs)))
		return nil, &Error{File: f.files["nav.csv"], Column: "product_code", Value: code, Expected: "a product of products.csv"}
	}
	return out, nil
}

// eachRow reads a file of the folder up to its first bad row.
func eachRow[R any](ctx context.Context, f *Folder, plain string, read func(io.Reader, string) iter.Seq2[R, error], take func(*R)) error {
	if _, ok := f.files[plain]; !ok {
		return &Error{File: plain, Problem: "is not there", Expected: plain + " or " + plain + ".gz in the folder"}
	}
	in, err := f.open(ctx, plain)
	if err != nil {
		return err
	}
	defer func() { _ = in.file.Close() }() // read only
	for row, err := range read(in, in.name) {
		if err != nil {
			return err
		}
		take(&row)
	}
	return nil
}
