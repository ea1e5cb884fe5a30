package telemetry

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Core reports which compiled core answers, how old it is, and whether the newest
// publication was refused. It asks when it is asked: what was told once would go stale
// while a core ends, is replaced, or is taken back.
type Core struct {
	now  func() time.Time
	read atomic.Pointer[func() CoreState]

	info, age, seq, isDegraded, quarantined *prometheus.Desc
	lineup, refused                         *prometheus.Desc
}

// CoreRevision identifies a core. The texts are revision numbers and hashes.
type CoreRevision struct {
	Pool, Model, Rules, Engine string
	AsOf                       time.Time // the instant that it speaks for
	DataSeq                    uint64
}

// CoreState is what answers now.
type CoreState struct {
	Revision *CoreRevision // nil: nothing answers
	Degraded bool          // the newest publication was refused, and an older one answers
	// Quarantined counts the products of the pool that break a rule of admission.
	Quarantined int
	// Lineup names what answers beside the core: arms of experiments and the shadow.
	Lineup []LineupModel
	// Refused are the kinds of what the store has in force and this process has not.
	Refused []string
}

// LineupModel is a model of the lineup; Role is arm or shadow.
type LineupModel struct{ Role, Model string }

// Watch gives the function that is asked at each scrape. It must not block.
func (c *Core) Watch(read func() CoreState) { c.read.Store(&read) }

func newCore(r prometheus.Registerer, now func() time.Time) *Core {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	c := &Core{
		now:        now,
		info:       desc("core_info", "The core that answers; always 1.", "pool", "model", "rules", "engine"),
		age:        desc("core_age_seconds", "Time since the instant that the core speaks for."),
		seq:        desc("core_data_seq", "Newest sequence number of market data in the core."),
		isDegraded: desc("core_degraded", "1 while the last good core answers because a newer one was refused."),

		lineup:  desc("lineup_info", "The models that answer beside the core; always 1.", "role", "model"),
		refused: desc("lineup_refused", "How many of a kind the store has in force and this process refused; absent: none.", "kind"),

		quarantined: desc("pool_quarantined", "Products of the pool that break a rule of admission and are not offered."),
	}
	r.MustRegister(c)
	return c
}

// Describe implements prometheus.Collector.
func (c *Core) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{c.info, c.age, c.seq, c.isDegraded, c.quarantined, c.lineup, c.refused} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Core) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	var state CoreState
	if read := c.read.Load(); read != nil {
		state = (*read)()
	}
	degraded := 0.0
	if state.Degraded {
		degraded = 1
	}
	gauge(c.isDegraded, degraded)
	refused := map[string]float64{}
	for _, kind := range state.Refused {
		refused[kind]++
	}
	for kind, n := range refused {
		gauge(c.refused, n, kind)
	}
	for _, m := range state.Lineup {
		gauge(c.lineup, 1, m.Role, m.Model)
	}
	r := state.Revision
	if r == nil {
		return
	}
	gauge(c.info, 1, r.Pool, r.Model, r.Rules, r.Engine)
	gauge(c.age, c.now().Sub(r.AsOf).Seconds())
	gauge(c.seq, float64(r.DataSeq))
	gauge(c.quarantined, float64(state.Quarantined))
}
