package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/server"
	"github.com/fundmatch/fundmatch/services/telemetry"
)

// maxConfigBytes bounds a configuration file.
const maxConfigBytes = 1 << 20

// config is the configuration file of serve. An absent setting has its default; an
// unknown one is an error. docs/cli.md lists them.
type config struct {
	Store       string          `yaml:"store"`
	Database    databaseConfig  `yaml:"database"`
	Decisions   decisionsConfig `yaml:"decisions"`
	HTTP        httpConfig      `yaml:"http"`
	GRPC        grpcConfig      `yaml:"grpc"`
	Ops         opsConfig       `yaml:"ops"`
	Limits      limitsConfig    `yaml:"limits"`
	Drain       drainConfig     `yaml:"drain"`
	SlowRequest duration        `yaml:"slow_request"`
	Engine      engineConfig    `yaml:"engine"`
	Cache       cacheConfig     `yaml:"cache"`
	Monitor     monitorConfig   `yaml:"monitor"`
	Signals     signalsConfig   `yaml:",inline"`
	Demo        demoConfig      `yaml:"demo"`
}

type decisionsConfig struct {
	Dir            string   `yaml:"dir"`
	SegmentBytes   whole    `yaml:"segment_bytes"`
	SyncEvery      duration `yaml:"sync_every"`
	SyncEachAnswer bool     `yaml:"sync_each_answer"`
	MaxProfiles    whole    `yaml:"max_profiles"`
}

type httpConfig struct {
	Address        string   `yaml:"address"`
	HeaderTimeout  duration `yaml:"header_timeout"`
	ReadTimeout    duration `yaml:"read_timeout"`
	WriteTimeout   duration `yaml:"write_timeout"`
	IdleTimeout    duration `yaml:"idle_timeout"`
	MaxHeaderBytes whole    `yaml:"max_header_bytes"`
	MaxBodyBytes   whole    `yaml:"max_body_bytes"`
	MaxConnections whole    `yaml:"max_connections"`
}

type grpcConfig struct {
	Address        string   `yaml:"address"`
	MaxMessage     whole    `yaml:"max_message"`
	MaxHeaderBytes whole32  `yaml:"max_header_bytes"`
	MaxStreams     whole32  `yaml:"max_streams"`
	MaxConnections whole    `yaml:"max_connections"`
	ConnectTimeout duration `yaml:"connect_timeout"`
	MinPing        duration `yaml:"min_ping"`
	MaxIdle        duration `yaml:"max_idle"`
	Reflection     bool     `yaml:"reflection"`
}

type opsConfig struct {
	Address       string   `yaml:"address"`
	ReadyInterval duration `yaml:"ready_interval"`
}

type limitsConfig struct {
	MaxInFlight     whole    `yaml:"max_in_flight"`
	DefaultDeadline duration `yaml:"default_deadline"`
	MaxDeadline     duration `yaml:"max_deadline"`
	PeerRate        float64  `yaml:"peer_rate"`
	PeerBurst       whole    `yaml:"peer_burst"`
}

type drainConfig struct {
	Delay   duration `yaml:"delay"`
	Timeout duration `yaml:"timeout"`
}

type engineConfig struct {
	Poll duration `yaml:"poll"`
	Lead duration `yaml:"lead"`
}

// signalsConfig are the settings of what the service tells about itself.
type signalsConfig struct {
	Log    logConfig    `yaml:"log"`
	Traces tracesConfig `yaml:"traces"`
}

type logConfig struct {
	Level logLevel `yaml:"level"`
}

type tracesConfig struct {
	Endpoint    string  `yaml:"endpoint"`
	Insecure    bool    `yaml:"insecure"`
	SampleRatio float64 `yaml:"sample_ratio"`
}

// demoConfig says which bank serve --demo invents.
type demoConfig struct {
	Customers whole  `yaml:"customers"`
	Products  whole  `yaml:"products"`
	Seed      whole  `yaml:"seed"`
	AsOf      string `yaml:"as_of"`
}

// configError is about a configuration file: where, and what was expected.
type configError struct {
	file         string
	line, column int // 0: nowhere in the file
	text         string
}

func (e *configError) Error() string {
	if e.line == 0 {
		return fmt.Sprintf("%s: %s", e.file, e.text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.file, e.line, e.column, e.text)
}

// Unwrap gives the error its exit code.
func (e *configError) Unwrap() error { return &exitError{code: exitUsage, text: e.text} }

// placedError is what is wrong with one value, at the value's place.
type placedError struct {
	node ast.Node
	text string
}

func (e *placedError) Error() string { return e.text }

// duration is a time span written with its unit, such as 250ms: a bare number, which
// would be nanoseconds, is refused.
type duration time.Duration

// UnmarshalYAML reads a duration.
func (d *duration) UnmarshalYAML(node ast.Node) error {
	text, ok := node.(*ast.StringNode)
	if ok {
		if v, err := time.ParseDuration(text.Value); err == nil && v >= 0 {
			*d = duration(v)
			return nil
		}
	}
	return &placedError{node, fmt.Sprintf("%.80q, expected a time span with its unit, such as 250ms, 5s or 1m30s", node.String())}
}

// whole is a whole number from 0; whole32 one that fits 32 bits. The library would cut
// the fraction off 1.5 in silence.
type (
	whole   int64
	whole32 uint32
)

// UnmarshalYAML reads a whole number.
func (n *whole) UnmarshalYAML(node ast.Node) error {
	v, err := parseWhole(node, math.MaxInt64)
	*n = whole(v)
	return err
}

// UnmarshalYAML reads a whole number of 32 bits.
func (n *whole32) UnmarshalYAML(node ast.Node) error {
	v, err := parseWhole(node, math.MaxUint32)
	*n = whole32(v)
	return err
}

func parseWhole(node ast.Node, most uint64) (uint64, error) {
	if number, ok := node.(*ast.IntegerNode); ok {
		if v, ok := number.Value.(uint64); ok && v <= most {
			return v, nil
		}
	}
	expected := "a whole number from 0"
	if most < math.MaxInt64 {
		expected += fmt.Sprintf(" to %d", most)
	}
	return 0, &placedError{node, fmt.Sprintf("%.80q, expected %s", node.String(), expected)}
}

// logLevel is how much is logged.
type logLevel slog.Level

// UnmarshalYAML reads a level.
func (l *logLevel) UnmarshalYAML(node ast.Node) error {
	for _, level := range [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if text, ok := node.(*ast.StringNode); ok && text.Value == strings.ToLower(level.String()) {
			*l = logLevel(level)
			return nil
		}
	}
	return &placedError{node, fmt.Sprintf("%.80q, expected debug, info, warn or error", node.String())}
}

// readConfig reads a configuration file; "" is the defaults.
func readConfig(name string) (*config, error) {
	var c config
	if name == "" {
		return &c, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, &configError{file: name, text: "cannot be read: " + pathReason(err)}
	}
	if len(data) > maxConfigBytes {
		return nil, &configError{file: name, text: fmt.Sprintf("%d bytes, expected at most %d", len(data), maxConfigBytes)}
	}
	if err := c.parse(data); err != nil {
		return nil, configFailure(name, err)
	}
	if err := c.check(); err != nil {
		return nil, locate(name, data, err)
	}
	return &c, nil
}

// errSecondDocument refuses what would otherwise be read past.
var errSecondDocument = errors.New("a second YAML document, expected one")

// parse reads the text strictly. One without any setting is the defaults.
func (c *config) parse(data []byte) error {
	in := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := in.Decode(c); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	var second any
	if err := in.Decode(&second); !errors.Is(err, io.EOF) {
		return errors.Join(errSecondDocument, err)
	}
	return nil
}

// pathReason is why a file could not be opened, without its name, which is said already.
func pathReason(err error) string {
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

// configFailure names the place that the reader complained about.
func configFailure(file string, err error) error {
	out := &configError{file: file, text: err.Error()}
	if errors.Is(err, errSecondDocument) {
		out.text = errSecondDocument.Error()
		return out
	}
	if e := (*placedError)(nil); errors.As(err, &e) {
		at := e.node.GetToken().Position
		out.line, out.column, out.text = at.Line, at.Column, e.text
		return out
	}
	if e := yaml.Error(nil); errors.As(err, &e) {
		if t := e.GetToken(); t != nil && t.Position != nil {
			out.line, out.column = t.Position.Line, t.Position.Column
		}
		out.text = plainReason(e)
	}
	return out
}

// plainReason says what is wrong in the words of whoever wrote the file.
func plainReason(e yaml.Error) string {
	value := ""
	if t := e.GetToken(); t != nil {
		value = t.Value
	}
	if unknown := (*yaml.UnknownFieldError)(nil); errors.As(e, &unknown) {
		return fmt.Sprintf("unknown setting %.80q", value)
	}
	if mistyped := (*yaml.TypeError)(nil); errors.As(e, &mistyped) {
		return fmt.Sprintf("%.80q, expected %s", value, wordFor(mistyped.DstType.Kind().String()))
	}
	if misplaced := (*yaml.UnexpectedNodeTypeError)(nil); errors.As(e, &misplaced) {
		return fmt.Sprintf("%.80q, expected settings of their own below it", value)
	}
	return e.GetMessage()
}

func wordFor(kind string) string {
	switch kind {
	case "bool":
		return "true or false"
	case "float64":
		return "a number"
	case "struct":
		return "settings of their own below it"
	}
	return "a text"
}

// locate finds the line of the setting that a check refused.
func locate(file string, data []byte, err error) error {
	refused := (*settingError)(nil)
	if !errors.As(err, &refused) {
		return &configError{file: file, text: err.Error()}
	}
	out := &configError{file: file, text: refused.Error()}
	tree, parseErr := parser.ParseBytes(data, 0)
	path, pathErr := yaml.PathString("$." + refused.field)
	if parseErr != nil || pathErr != nil {
		return out
	}
	if node, err := path.FilterFile(tree); err == nil && node != nil && node.GetToken() != nil {
		out.line, out.column = node.GetToken().Position.Line, node.GetToken().Position.Column
	}
	return out
}

// settingError names a setting as the file writes it.
type settingError struct{ field, value, expected string }

func (e *settingError) Error() string {
	return fmt.Sprintf("%s: %q, expected %s", e.field, e.value, e.expected)
}

// Unwrap gives the error its exit code where it came from a flag.
func (e *settingError) Unwrap() error { return &exitError{code: exitUsage, text: e.Error()} }

// check refuses what only this program can judge. The server checks its own settings
// once more when it is put together.
func (c *config) check() error {
	if c.Store != "" {
		if _, err := parseStore(c.Store); err != nil {
			return &settingError{"store", shownSpec(c.Store), expectedStore}
		}
	}
	if _, err := c.demo(0); err != nil {
		return err
	}
	if err := c.checkDecisions(); err != nil {
		return err
	}
	if err := c.Database.check(); err != nil {
		return err
	}
	if err := c.Cache.check(); err != nil {
		return err
	}
	if err := c.checkClock(); err != nil {
		return err
	}
	if err := c.Monitor.check(); err != nil {
		return err
	}
	if r := c.Signals.Traces.SampleRatio; !(r >= 0 && r <= 1) {
		return &settingError{"traces.sample_ratio", strconv.FormatFloat(r, 'g', -1, 64), "0 (default) to 1"}
	}
	for _, d := range [...]struct {
		field string
		value duration
	}{{"engine.poll", c.Engine.Poll}, {"engine.lead", c.Engine.Lead}} {
		if v := time.Duration(d.value); v > time.Hour {
			return &settingError{d.field, v.String(), "at most 1h"}
		}
	}
	listeners := c.server()
	err := listeners.Check()
	if e := (*server.ConfigError)(nil); errors.As(err, &e) {
		return &settingError{e.Field, e.Value, e.Expected}
	}
	if e := (*server.ExposedError)(nil); errors.As(err, &e) {
		return &settingError{e.Listener + ".address", e.Address, "an address on loopback, such as 127.0.0.1:8080: callers are not authenticated yet, so nothing beyond this machine may connect"}
	}
	return err
}

func (c *config) checkDecisions() error {
	d := &c.Decisions
	switch every := time.Duration(d.SyncEvery); {
	case d.SegmentBytes != 0 && (d.SegmentBytes < 4<<10 || d.SegmentBytes > 4<<30):
		return &settingError{"decisions.segment_bytes", strconv.FormatInt(int64(d.SegmentBytes), 10), "4096 to 4294967296"}
	case every != 0 && (every < time.Millisecond || every > time.Minute):
		return &settingError{"decisions.sync_every", every.String(), "1ms to 1m"}
	case d.MaxProfiles != 0 && (d.MaxProfiles < 2 || d.MaxProfiles > 16<<20):
		return &settingError{"decisions.max_profiles", strconv.Itoa(int(d.MaxProfiles)), "2 to 16777216"}
	}
	return nil
}

// demo returns the options of the demo bank; today is its day unless the file names one.
func (c *config) demo(today fund.Date) (synthetic.Options, error) {
	d := &c.Demo
	o := synthetic.Options{Customers: int(d.Customers), Products: int(d.Products), Seed: uint64(d.Seed), AsOf: today}
	switch {
	case d.Customers > synthetic.MaxCustomers:
		return o, &settingError{"demo.customers", strconv.Itoa(int(d.Customers)), fmt.Sprintf("1 to %d", synthetic.MaxCustomers)}
	case d.Products != 0 && (d.Products < synthetic.MinProducts || d.Products > synthetic.MaxProducts):
		return o, &settingError{"demo.products", strconv.Itoa(int(d.Products)), fmt.Sprintf("%d to %d", synthetic.MinProducts, synthetic.MaxProducts)}
	}
	if d.AsOf == "" {
		return o, nil
	}
	day, err := fund.ParseDate(d.AsOf)
	if err != nil || day < synthetic.EarliestAsOf || day > synthetic.LatestAsOf {
		return o, &settingError{"demo.as_of", d.AsOf, fmt.Sprintf("a day from %s to %s", synthetic.EarliestAsOf, synthetic.LatestAsOf)}
	}
	o.AsOf = day
	return o, nil
}

// server returns the settings of the listeners.
func (c *config) server() server.Config {
	h, g, o, l := &c.HTTP, &c.GRPC, &c.Ops, &c.Limits
	return server.Config{
		HTTP: server.HTTPConfig{
			Address: h.Address, HeaderTimeout: time.Duration(h.HeaderTimeout), ReadTimeout: time.Duration(h.ReadTimeout),
			WriteTimeout: time.Duration(h.WriteTimeout), IdleTimeout: time.Duration(h.IdleTimeout),
			MaxHeaderBytes: int(h.MaxHeaderBytes), MaxBodyBytes: int64(h.MaxBodyBytes), MaxConnections: int(h.MaxConnections),
		},
		GRPC: server.GRPCConfig{
			Address: g.Address, MaxMessage: int(g.MaxMessage), MaxHeaderBytes: uint32(g.MaxHeaderBytes), MaxStreams: uint32(g.MaxStreams),
			MaxConnections: int(g.MaxConnections), ConnectTimeout: time.Duration(g.ConnectTimeout), MinPing: time.Duration(g.MinPing),
			MaxIdle: time.Duration(g.MaxIdle), Reflection: g.Reflection,
		},
		Ops: server.OpsConfig{Address: o.Address, ReadyInterval: time.Duration(o.ReadyInterval)},
		Limits: server.LimitsConfig{
			MaxInFlight: int(l.MaxInFlight), DefaultDeadline: time.Duration(l.DefaultDeadline), MaxDeadline: time.Duration(l.MaxDeadline),
			PeerRate: l.PeerRate, PeerBurst: int(l.PeerBurst),
		},
		Drain:       server.DrainConfig{Delay: time.Duration(c.Drain.Delay), Timeout: time.Duration(c.Drain.Timeout)},
		SlowRequest: time.Duration(c.SlowRequest),
	}
}

// decisionLog returns the settings of the decision log's writer.
func (c *config) decisionLog() decisionlog.Config {
	d := &c.Decisions
	return decisionlog.Config{
		SegmentBytes: int64(d.SegmentBytes), SyncEvery: time.Duration(d.SyncEvery), SyncEachAnswer: d.SyncEachAnswer, MaxProfiles: int(d.MaxProfiles),
	}
}

func (c *config) engine() engine.Config {
	return engine.Config{Poll: time.Duration(c.Engine.Poll), Lead: time.Duration(c.Engine.Lead)}
}

func (c *config) traces(version string) telemetry.TraceConfig {
	t := &c.Signals.Traces
	return telemetry.TraceConfig{Endpoint: t.Endpoint, Insecure: t.Insecure, SampleRatio: t.SampleRatio, Version: version}
}
