package score

import (
	"context"

	"github.com/fundmatch/fundmatch/matcher/score/affinity"
)

// TrainedAffinity is an affinity model with the names of its numbers.
type TrainedAffinity struct {
	Model *affinity.Model
	Names affinity.Names
}

// Learn trains an affinity model of a day. customers calls yield with each customer; his
// purchases are of funds by their place in f. Errors are those of affinity.Train, and of
// customers.
func Learn(
	ctx context.Context, f *Funds, customers func(yield func(affinity.Customer) error) error,
	asOf int32, s affinity.Settings, o affinity.Options,
) (*TrainedAffinity, error) {
	history := affinity.NewHistory(len(f.Codes))
	if err := customers(history.Add); err != nil {
		return nil, err
	}
	known := f.names()
	model, err := affinity.Train(ctx, history, f.items(&known), asOf, s, o)
	if err != nil {
		return nil, err
	}
	return &TrainedAffinity{Model: model, Names: known}, nil
}

// For returns the model for the funds of a pool: those that came since it was trained are
// reached through their attributes.
func (t *TrainedAffinity) For(f *Funds) (*affinity.Model, error) {
	place := make(map[string]int32, len(t.Names.Items))
	for i, code := range t.Names.Items {
		place[code] = int32(i)
	}
	index := make([]int32, len(f.Codes))
	for x, code := range f.Codes {
		at, ok := place[code]
		if !ok {
			at = affinity.Unknown
		}
		index[x] = at
	}
	return t.Model.For(index, f.items(&t.Names))
}

// AppendBinary appends the model as the section affinity.bin of a model file.
func (t *TrainedAffinity) AppendBinary(dst []byte) ([]byte, error) {
	return t.Model.AppendBinary(dst, &t.Names)
}
