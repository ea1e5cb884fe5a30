package recommendation_test

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/recommendation"
)

// noLog takes records and forgets them.
type noLog struct{}

func (noLog) Append(context.Context, decisionlog.Record) error { return nil }

// BenchmarkRecommend is the handler alone: 300 products, five items, no transport and no
// log. Then what the transport adds, the answer's marshalling.
func BenchmarkRecommend(b *testing.B) {
	bank := openBank(b, synthetic.Options{Customers: 2000, Products: 300, AsOf: fund.Date(20260310)})
	service := recommendation.New(bank.engine, bank.store, noLog{}, recommendation.Config{Clock: bank.clock, NewID: newID})
	limit := int32(5)
	question := &fundmatchv1.RecommendRequest{CustomerId: storyCustomer, Limit: &limit}
	var answer *fundmatchv1.RecommendResponse
	b.Run("answer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if answer, err = service.Recommend(b.Context(), question); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("marshal", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			buf, _ = proto.MarshalOptions{}.MarshalAppend(buf[:0], answer)
		}
		b.ReportMetric(float64(len(buf)), "B/answer")
	})
}
