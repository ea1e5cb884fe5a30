package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Shadow measures a model that answers beside the one in force and is never shown.
type Shadow struct {
	Compared   prometheus.Counter
	Same       prometheus.Counter // the same products in the same order
	Dropped    prometheus.Counter // not compared because too many waited
	Failed     prometheus.Counter // the shadow gave no answer
	Violations prometheus.Counter // products that the rules do not permit: must stay 0

	Overlap    prometheus.Observer // share of products in both lists
	RankBiased prometheus.Observer // rank-biased overlap, persistence 0.9
	ScoreGap   prometheus.Observer // mean distance of the scores of products in both lists
}

func newShadow(r prometheus.Registerer) Shadow {
	return Shadow{
		Compared:   counter(r, "shadow_compared_total", "Answers compared with the shadow's."),
		Same:       counter(r, "shadow_same_total", "Answers of which the shadow's had the same products in the same order."),
		Dropped:    counter(r, "shadow_dropped_total", "Answers not compared because too many waited."),
		Failed:     counter(r, "shadow_failed_total", "Answers for which the shadow gave none."),
		Violations: counter(r, "shadow_violations_total", "Products of the shadow's answers that the rules do not permit; must stay 0."),
		Overlap:    histogram(r, "shadow_overlap", "Share of the products in both lists.", shareBuckets()),
		RankBiased: histogram(r, "shadow_rank_biased_overlap", "Rank-biased overlap of the lists, persistence 0.9.", shareBuckets()),
		ScoreGap:   histogram(r, "shadow_score_gap", "Mean distance of the two scores of the products in both lists.", gapBuckets()),
	}
}

// A share of five places is a fifth, two fifths and so on: bounds stand between these.
func shareBuckets() []float64 { return []float64{0, .1, .3, .5, .7, .9, .99, 1} }

func gapBuckets() []float64 { return []float64{0, 1e-6, 1e-3, .01, .03, .1, .3, 1, 3} }
