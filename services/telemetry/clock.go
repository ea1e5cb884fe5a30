package telemetry

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Clock compares the clock of this process with that of a store that others share.
type Clock struct{ registry prometheus.Registerer }

// Watch exports by how much the own clock is ahead of the store's; NaN while that is not known.
// Call it once.
func (c *Clock) Watch(skew func() (time.Duration, bool)) {
	c.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "clock_skew_seconds",
		Help: "How far the clock of this process is ahead of the store's; beyond the limit nothing is answered.",
	}, func() float64 {
		ahead, ok := skew()
		if !ok {
			return math.NaN()
		}
		return ahead.Seconds()
	}))
}
