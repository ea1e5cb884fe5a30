package server

import (
	"crypto/rand"
	"fmt"
	"math"
	"net"
	"time"
)

// Config are the server's settings. The zero value of each field means its default;
// Default returns them all.
type Config struct {
	HTTP   HTTPConfig
	GRPC   GRPCConfig
	Ops    OpsConfig
	Limits LimitsConfig
	Drain  DrainConfig

	// SlowRequest is the duration from which an answered request is logged; default 500 ms.
	SlowRequest time.Duration
	// NewRequestID makes the id of a request that brings none; default: 26 random characters.
	NewRequestID func() string
}

// HTTPConfig are the settings of the REST listener.
type HTTPConfig struct {
	Address        string        // default 127.0.0.1:8080
	HeaderTimeout  time.Duration // to read a request's header; default 5 s
	ReadTimeout    time.Duration // to read a whole request; default 15 s
	WriteTimeout   time.Duration // from the end of the header to the end of the answer; default 30 s
	IdleTimeout    time.Duration // of a kept-alive connection; default 2 min
	MaxHeaderBytes int           // default 16 KiB
	MaxBodyBytes   int64         // default 1 MiB
	MaxConnections int           // default 4096; more wait in the listen queue
}

// GRPCConfig are the settings of the gRPC listener.
type GRPCConfig struct {
	Address        string        // default 127.0.0.1:9090
	MaxMessage     int           // bytes of a request; default 4 MiB
	MaxHeaderBytes uint32        // default 16 KiB
	MaxStreams     uint32        // calls at once on one connection; default 256
	MaxConnections int           // default 4096; more wait in the listen queue
	ConnectTimeout time.Duration // for the handshake; default 10 s
	MinPing        time.Duration // pings more often than this end the connection; default 10 s
	MaxIdle        time.Duration // of a connection without calls; default 5 min
	Reflection     bool          // default off
}

// OpsConfig are the settings of the listener for metrics, health and profiles.
type OpsConfig struct {
	Address string // default 127.0.0.1:9100
	// ReadyInterval is how often the readiness checks run; default 1 s. A check that takes
	// five intervals counts as failed.
	ReadyInterval time.Duration
}

// LimitsConfig bounds the work of requests.
type LimitsConfig struct {
	MaxInFlight     int           // requests answered at once, of both transports; default 1024
	DefaultDeadline time.Duration // for a request that brings none; default 5 s
	MaxDeadline     time.Duration // a longer one is cut to it; default 25 s, below the HTTP write timeout
	PeerRate        float64       // requests a second of one peer (IP address); 0: not limited
	PeerBurst       int           // default: PeerRate rounded up
}

// DrainConfig says how the server ends.
type DrainConfig struct {
	// Delay is the time between "not ready" and no longer accepting, for load balancers
	// to take notice; default 0.
	Delay time.Duration
	// Timeout is how long requests may take to finish after that; default 25 s.
	Timeout time.Duration
}

// ConfigError names a setting, its value and what was expected.
type ConfigError struct {
	Field, Value, Expected string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("server: %s: %q, expected %s", e.Field, e.Value, e.Expected)
}

// ExposedError refuses an address beyond loopback: this version neither authenticates
// its callers nor encrypts, so only this machine may reach it.
type ExposedError struct {
	Listener, Address string
}

func (e *ExposedError) Error() string {
	return fmt.Sprintf("server: %s address %q is not on loopback: authentication and TLS are not there yet, "+
		"so nothing beyond this machine may connect (use 127.0.0.1 or [::1])", e.Listener, e.Address)
}

// Default returns the default settings.
func Default() Config {
	var c Config
	setDefaults(&c)
	return c
}

// withDefaults fills what is zero and checks the rest. Errors: *ConfigError, *ExposedError.
func withDefaults(c Config) (Config, error) {
	if err := checkBounds(&c); err != nil {
		return c, err
	}
	setDefaults(&c)
	if c.Limits.DefaultDeadline > c.Limits.MaxDeadline {
		return c, &ConfigError{"limits.default_deadline", c.Limits.DefaultDeadline.String(), "at most limits.max_deadline, " + c.Limits.MaxDeadline.String()}
	}
	for _, l := range [...]struct{ listener, address string }{{"http", c.HTTP.Address}, {"grpc", c.GRPC.Address}, {"ops", c.Ops.Address}} {
		if err := checkLoopback(l.listener, l.address); err != nil {
			return c, err
		}
	}
	return c, nil
}

func setDefaults(c *Config) {
	c.HTTP.setDefaults()
	c.GRPC.setDefaults()
	orDefault(&c.Ops.Address, "127.0.0.1:9100")
	orDefault(&c.Ops.ReadyInterval, time.Second)
	orDefault(&c.Limits.MaxInFlight, 1024)
	orDefault(&c.Limits.DefaultDeadline, min(5*time.Second, c.Limits.maxDeadline()))
	orDefault(&c.Limits.MaxDeadline, c.Limits.maxDeadline())
	orDefault(&c.Limits.PeerBurst, max(1, int(math.Ceil(c.Limits.PeerRate))))
	orDefault(&c.Drain.Timeout, 25*time.Second)
	orDefault(&c.SlowRequest, 500*time.Millisecond)
	if c.NewRequestID == nil {
		c.NewRequestID = rand.Text
	}
}

func (c *LimitsConfig) maxDeadline() time.Duration {
	if c.MaxDeadline == 0 {
		return 25 * time.Second
	}
	return c.MaxDeadline
}

func (c *HTTPConfig) setDefaults() {
	orDefault(&c.Address, "127.0.0.1:8080")
	orDefault(&c.HeaderTimeout, 5*time.Second)
	orDefault(&c.ReadTimeout, 15*time.Second)
	orDefault(&c.WriteTimeout, 30*time.Second)
	orDefault(&c.IdleTimeout, 2*time.Minute)
	orDefault(&c.MaxHeaderBytes, 16<<10)
	orDefault(&c.MaxBodyBytes, 1<<20)
	orDefault(&c.MaxConnections, 4096)
}

func (c *GRPCConfig) setDefaults() {
	orDefault(&c.Address, "127.0.0.1:9090")
	orDefault(&c.MaxMessage, 4<<20)
	orDefault(&c.MaxHeaderBytes, 16<<10)
	orDefault(&c.MaxStreams, 256)
	orDefault(&c.MaxConnections, 4096)
	orDefault(&c.ConnectTimeout, 10*time.Second)
	orDefault(&c.MinPing, 10*time.Second)
	orDefault(&c.MaxIdle, 5*time.Minute)
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// The bounds of the settings: wide enough for every use, narrow enough to catch a wrong
// unit.
const (
	maxDuration    = time.Hour
	maxBytes       = 64 << 20
	maxHeaders     = 1 << 20
	maxConnections = 1 << 20
	maxInFlight    = 1 << 20
	maxPeerRate    = 1e6
)

func checkBounds(c *Config) error {
	durations := [...]struct {
		field string
		value time.Duration
	}{
		{"http.header_timeout", c.HTTP.HeaderTimeout},
		{"http.read_timeout", c.HTTP.ReadTimeout},
		{"http.write_timeout", c.HTTP.WriteTimeout},
		{"http.idle_timeout", c.HTTP.IdleTimeout},
		{"grpc.connect_timeout", c.GRPC.ConnectTimeout},
		{"grpc.min_ping", c.GRPC.MinPing},
		{"grpc.max_idle", c.GRPC.MaxIdle},
		{"ops.ready_interval", c.Ops.ReadyInterval},
		{"limits.default_deadline", c.Limits.DefaultDeadline},
		{"limits.max_deadline", c.Limits.MaxDeadline},
		{"drain.delay", c.Drain.Delay},
		{"drain.timeout", c.Drain.Timeout},
		{"slow_request", c.SlowRequest},
	}
	for _, d := range durations {
		if d.value < 0 || d.value > maxDuration {
			return &ConfigError{d.field, d.value.String(), "0 (default) to " + maxDuration.String()}
		}
	}
	return checkNumbers(c)
}

func checkNumbers(c *Config) error {
	numbers := [...]struct {
		field       string
		value, most int64
	}{
		{"http.max_header_bytes", int64(c.HTTP.MaxHeaderBytes), maxHeaders},
		{"http.max_body_bytes", c.HTTP.MaxBodyBytes, maxBytes},
		{"http.max_connections", int64(c.HTTP.MaxConnections), maxConnections},
		{"grpc.max_message", int64(c.GRPC.MaxMessage), maxBytes},
		{"grpc.max_header_bytes", int64(c.GRPC.MaxHeaderBytes), maxHeaders},
		{"grpc.max_streams", int64(c.GRPC.MaxStreams), maxInFlight},
		{"grpc.max_connections", int64(c.GRPC.MaxConnections), maxConnections},
		{"limits.max_in_flight", int64(c.Limits.MaxInFlight), maxInFlight},
		{"limits.peer_burst", int64(c.Limits.PeerBurst), maxInFlight},
	}
	for _, n := range numbers {
		if n.value < 0 || n.value > n.most {
			return &ConfigError{n.field, fmt.Sprint(n.value), fmt.Sprintf("0 (default) to %d", n.most)}
		}
	}
	if r := c.Limits.PeerRate; !(r >= 0 && r <= maxPeerRate) { // NaN is refused too
		return &ConfigError{"limits.peer_rate", fmt.Sprint(r), "0 (not limited) to 1000000 requests a second"}
	}
	return nil
}

// checkLoopback accepts host:port whose host is a loopback address or localhost. A name
// other than localhost is refused: what it resolves to may change.
func checkLoopback(listener, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return &ConfigError{listener + ".address", address, "host:port"}
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return &ExposedError{Listener: listener, Address: address}
}
