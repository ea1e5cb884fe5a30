package main

import (
	"context"
	"iter"
	"syscall"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/backtest"
)

// readBacktest reads a backtest folder.
func readBacktest(ctx context.Context, folder *dataset.Backtest, bar *progress) (*backtest.Data, []backtest.File, error) {
	r := backtestReader{bar: bar}
	builder, err := r.begin(ctx, folder)
	if err != nil {
		return nil, nil, err
	}
	err = each(&r, folder.Candidates(ctx), func(v dataset.CandidatesRow) error { return builder.Candidates(v.Split, v.ProductCodes) })
	if err != nil {
		return nil, nil, err
	}
	err = each(&r, folder.Relevant(ctx), func(v dataset.RelevantRow) error {
		return builder.Relevant(v.Split, v.CustomerID, v.ProductCodes)
	})
	if err != nil {
		return nil, nil, err
	}
	var files []backtest.File
	for _, f := range folder.Files() {
		files = append(files, backtest.File{Name: f.Name, Rows: f.Rows, SHA256: f.SHA256})
	}
	data, err := builder.Data()
	return data, files, err
}

// backtestReader shows how many files were read.
type backtestReader struct {
	bar   *progress
	files int64
}

// begin reads the files that those of the lists refer to.
func (r *backtestReader) begin(ctx context.Context, folder *dataset.Backtest) (*backtest.Builder, error) {
	var products []fund.Product
	var customers []backtest.Customer
	var splits []backtest.Split
	err := each(r, folder.Products(ctx), func(p fund.Product) error {
		products = append(products, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(r, folder.Customers(ctx), func(v dataset.CustomerRow) error {
		customers = append(customers, backtestCustomer(&v))
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(r, folder.Splits(ctx), func(v dataset.SplitRow) error {
		splits = append(splits, backtest.Split{Number: v.Split, AsOf: v.AsOf, TestEnd: v.TestEnd})
		return nil
	})
	if err != nil {
		return nil, err
	}
	builder, err := backtest.NewBuilder(products, customers, splits)
	if err != nil {
		return nil, err
	}
	return builder, each(r, folder.Interactions(ctx), func(v features.CustomerPurchase) error {
		return builder.Interaction(v.CustomerID, &v.Purchase)
	})
}

func backtestCustomer(v *dataset.CustomerRow) backtest.Customer {
	c := backtest.Customer{
		ID:    v.CustomerID,
		Facts: backtest.Facts{InvestorType: v.Person.InvestorType, Segment: v.Person.Segment, Attributes: v.Attributes},
		Level: backtest.Level{Level: v.Level.Level},
	}
	if v.Level.IsAssessment() {
		c.Level.AssessedOn = v.Level.AssessedOn
	}
	return c
}

// each hands over the rows of a file.
func each[T any](r *backtestReader, rows iter.Seq2[T, error], take func(T) error) error {
	for v, err := range rows {
		if err == nil {
			err = take(v)
		}
		if err != nil {
			return err
		}
	}
	r.files++
	r.bar.set(r.files)
	return nil
}

// peakMemory is the most that the process ever had in memory, in bytes; 0 where the system
// does not tell.
func peakMemory() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Maxrss << 10
}
