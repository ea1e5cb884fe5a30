package telemetry

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Features reports fill, age and drift of features as they were last measured on a sample
// of customers. It asks when it is asked.
type Features struct {
	read atomic.Pointer[func() []FeatureState]

	fill, age, psi *prometheus.Desc
}

// FeatureState is one feature as it was last measured.
type FeatureState struct {
	View, Name string
	Fill       float64 // share of the customers with a value
	// Ages are quantiles of the values' ages; none: no value has a date.
	Ages []AgeQuantile
	PSI  float64 // population stability index
	// Drift says that PSI is known.
	Drift bool
}

// AgeQuantile is one quantile of ages.
type AgeQuantile struct {
	Percent int
	Seconds float64
}

// MaxFeatureSeries bounds the features that are exported: labels come from the catalogue,
// which a bank may grow.
const MaxFeatureSeries = 500

// Watch gives the function that is asked at each scrape. It must not block.
func (f *Features) Watch(read func() []FeatureState) { f.read.Store(&read) }

func newFeatures(r prometheus.Registerer) *Features {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, append([]string{"view", "feature"}, labels...), nil)
	}
	f := &Features{
		fill: desc("feature_fill_ratio", "Share of sampled customers with a value of the feature."),
		age:  desc("feature_age_seconds", "Age of the sampled values of the feature.", "quantile"),
		psi:  desc("feature_psi", "Population stability index of the feature against the baseline."),
	}
	r.MustRegister(f)
	return f
}

// Describe implements prometheus.Collector.
func (f *Features) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{f.fill, f.age, f.psi} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (f *Features) Collect(ch chan<- prometheus.Metric) {
	read := f.read.Load()
	if read == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	states := (*read)()
	for _, s := range states[:min(len(states), MaxFeatureSeries)] {
		gauge(f.fill, s.Fill, s.View, s.Name)
		for _, q := range s.Ages {
			gauge(f.age, q.Seconds, s.View, s.Name, fmt.Sprintf("0.%02d", q.Percent))
		}
		if s.Drift {
			gauge(f.psi, s.PSI, s.View, s.Name)
		}
	}
}
