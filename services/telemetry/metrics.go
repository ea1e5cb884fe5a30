package telemetry

import (
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins every metric's name.
const namespace = "fundmatch"

// Metrics are the service's instruments. Labels are bounded: methods of the API, codes,
// rule ids, stages; never a customer or a product.
type Metrics struct {
	Requests    *Requests
	Cache       Cache
	ChangeLog   ChangeLog
	Clock       Clock
	Core        *Core
	Features    *Features
	DecisionLog DecisionLog
	Shadow      Shadow
	Quarantined prometheus.Counter // events dated after their recording, kept aside

	stages     [stageCount]prometheus.Observer
	exclusions *prometheus.CounterVec
	registry   *prometheus.Registry
}

// Cache counts what the profile cache did.
type Cache struct {
	Hits   prometheus.Counter
	Misses prometheus.Counter
	Drops  prometheus.Counter // entries removed because the change log named them
	Stale  prometheus.Counter // reads that went through because the last poll was too old

	Refused prometheus.Counter // reads and writes that were refused because too many waited for the store
}

// ChangeLog tells how well this replica follows the changes that others make.
type ChangeLog struct {
	Polled prometheus.Counter // polls that read the log to its end
	Failed prometheus.Counter // polls that did not
	Wakes  prometheus.Counter // polls that came sooner because the store told of a change
	Lag    prometheus.Observer

	registry prometheus.Registerer
}

// WatchAge exports how long ago the last good poll began; +Inf while there was none. Call it
// once.
func (c *ChangeLog) WatchAge(age func() (time.Duration, bool)) {
	c.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "change_log_age_seconds",
		Help: "Time since the last poll began that read the change log to its end; beyond the bound reads go to the store.",
	}, func() float64 {
		since, ok := age()
		if !ok {
			return math.Inf(1)
		}
		return since.Seconds()
	}))
}

func newChangeLog(r prometheus.Registerer) ChangeLog {
	polls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "change_log_polls_total", Help: "Polls of the change log.",
	}, []string{"result"})
	r.MustRegister(polls)
	return ChangeLog{
		Polled: polls.WithLabelValues("done"), Failed: polls.WithLabelValues("failed"),
		Wakes: counter(r, "change_log_wakes_total", "Polls that came sooner because the store told of a change."),
		Lag: histogram(r, "change_log_lag_seconds", "Age of the newest change of a page when it was seen, by the store's clock.",
			lagBuckets()),
		registry: r,
	}
}

// DecisionLog measures the record of answers.
type DecisionLog struct {
	Records prometheus.Counter
	Bytes   prometheus.Counter
	Errors  prometheus.Counter
	Fsync   prometheus.Observer // seconds of one fsync
}

// NewMetrics returns instruments on a registry of their own. now is the clock of ages.
func NewMetrics(now func() time.Time) *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &Metrics{registry: r, Requests: newRequests(r), Core: newCore(r, now), Features: newFeatures(r)}
	m.Cache = Cache{
		Hits:   counter(r, "profile_cache_hits_total", "Profiles answered by the cache."),
		Misses: counter(r, "profile_cache_misses_total", "Profiles read from the store."),
		Drops:  counter(r, "profile_cache_drops_total", "Profiles dropped because the change log named them."),
		Stale:  counter(r, "profile_cache_stale_total", "Reads past the cache because the last poll of the change log was too old."),
	}
	m.Cache.Refused = counter(r, "profile_cache_refused_total", "Reads and writes refused because too many waited for the store.")
	m.ChangeLog, m.Clock = newChangeLog(r), Clock{r}
	m.DecisionLog = DecisionLog{
		Records: counter(r, "decision_log_records_total", "Records appended."),
		Bytes:   counter(r, "decision_log_bytes_total", "Bytes appended."),
		Errors:  counter(r, "decision_log_errors_total", "Appends that failed."),
		Fsync:   histogram(r, "decision_log_fsync_seconds", "Duration of one fsync.", fsyncBuckets()),
	}
	m.Shadow = newShadow(r)
	m.Quarantined = counter(r, "quarantined_facts_total", "Events that came dated after their recording: kept aside, in no profile.")
	m.exclusions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "exclusions_total", Help: "Products kept out of an answer, by rule.",
	}, []string{"rule"})
	r.MustRegister(m.exclusions)
	m.addStages(r)
	return m
}

// Handler serves the instruments in the Prometheus exposition format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Registerer takes further collectors, such as a database pool's.
func (m *Metrics) Registerer() prometheus.Registerer { return m.registry }

// Exclusions returns the counter of a rule: keep it, looking it up costs more than
// counting.
func (m *Metrics) Exclusions(ruleID string) prometheus.Counter {
	return m.exclusions.WithLabelValues(ruleID)
}

// Stage is a part of a request whose latency is measured.
type Stage uint8

// The stages of a recommendation.
const (
	ProfileStage Stage = iota // the profile's read
	MatchStage                // gate, score, slate and the three steps
	RecordStage               // the append to the decision log
	RenderStage               // the answer's message
	stageCount
)

var stageNames = [stageCount]string{"profile", "match", "record", "render"}

// String returns the stage's label.
func (s Stage) String() string { return stageNames[s] }

// ObserveStage records how long a stage took.
func (m *Metrics) ObserveStage(s Stage, d time.Duration) { m.stages[s].Observe(d.Seconds()) }

func (m *Metrics) addStages(r prometheus.Registerer) {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "stage_seconds", Help: "Latency of one stage of a recommendation.", Buckets: stageBuckets(),
	}, []string{"stage"})
	r.MustRegister(v)
	for s := range stageCount {
		m.stages[s] = v.WithLabelValues(s.String())
	}
}

func counter(r prometheus.Registerer, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	r.MustRegister(c)
	return c
}

func histogram(r prometheus.Registerer, name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	r.MustRegister(h)
	return h
}

// Bounds in seconds: the goals are about 15 us a match, 50 us a request and single
// milliseconds for a bank's disk; what is above a second is one bucket too late anyway.

func stageBuckets() []float64 {
	return []float64{2e-6, 5e-6, 10e-6, 20e-6, 50e-6, 100e-6, 250e-6, 1e-3, 5e-3, 25e-3, 100e-3, 1}
}

func requestBuckets() []float64 {
	return []float64{25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 250e-3, 1, 5}
}

func lagBuckets() []float64 {
	return []float64{1e-3, 2e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3, 750e-3, 1, 2, 5, 30, 300}
}

func fsyncBuckets() []float64 {
	return []float64{50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 25e-3, 100e-3, 1}
}
