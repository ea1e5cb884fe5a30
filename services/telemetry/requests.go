package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

// Requests measures the requests of all transports.
type Requests struct {
	InFlight prometheus.Gauge
	Shed     prometheus.Counter // refused because too many were running
	Limited  prometheus.Counter // refused because their peer sent too many
	Panics   prometheus.Counter

	total   *prometheus.CounterVec
	latency *prometheus.HistogramVec
}

// codeCount is the number of status codes of gRPC.
const codeCount = int(codes.Unauthenticated) + 1

// Method are the instruments of one method.
type Method struct {
	byCode  [codeCount]prometheus.Counter
	latency prometheus.Observer
}

func newRequests(r prometheus.Registerer) *Requests {
	q := &Requests{
		InFlight: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "requests_in_flight", Help: "Requests being answered."}),
		Shed:     counter(r, "requests_shed_total", "Requests refused because too many were being answered."),
		Limited:  counter(r, "requests_rate_limited_total", "Requests refused because their peer sent too many."),
		Panics:   counter(r, "request_panics_total", "Requests whose handler panicked."),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "requests_total", Help: "Requests answered, by method and status code.",
		}, []string{"method", "code"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "request_seconds", Help: "Latency of a request within the interceptor chain.", Buckets: requestBuckets(),
		}, []string{"method"}),
	}
	r.MustRegister(q.InFlight, q.total, q.latency)
	return q
}

// Method resolves the instruments of one method once, so that counting costs no lookup.
func (q *Requests) Method(name string) *Method {
	m := &Method{latency: q.latency.WithLabelValues(name)}
	for c := range m.byCode {
		m.byCode[c] = q.total.WithLabelValues(name, codes.Code(c).String())
	}
	return m
}

// Done counts one answered request.
func (m *Method) Done(code codes.Code, took time.Duration) {
	if int(code) >= codeCount {
		code = codes.Unknown
	}
	m.byCode[code].Inc()
	m.latency.Observe(took.Seconds())
}
