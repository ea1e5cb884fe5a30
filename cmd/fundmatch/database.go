package main

import (
	"strconv"
	"time"

	"github.com/fundmatch/fundmatch/features/sqlstore"
)

// databaseConfig are the settings of the connections to the store. SQLite takes those that
// say so; the others are PostgreSQL's.
type databaseConfig struct {
	ReadConnections  whole    `yaml:"read_connections"`  // SQLite too
	WriteConnections whole    `yaml:"write_connections"` // SQLite has one
	StatementTimeout duration `yaml:"statement_timeout"`
	LockTimeout      duration `yaml:"lock_timeout"` // SQLite too
	Notify           *bool    `yaml:"notify"`
	MaxClockSkew     duration `yaml:"max_clock_skew"` // between this process and the server
}

// The bounds of the connections' settings.
const (
	maxConnections      = 64
	minStatementTimeout = 10 * time.Millisecond
	maxStatementTimeout = 10 * time.Minute
	maxLockTimeout      = time.Minute
)

func (c *databaseConfig) check() error {
	for _, n := range [...]struct {
		field string
		value whole
	}{{"database.read_connections", c.ReadConnections}, {"database.write_connections", c.WriteConnections}} {
		if n.value > maxConnections {
			return &settingError{n.field, strconv.Itoa(int(n.value)), "0 (default) to " + strconv.Itoa(maxConnections)}
		}
	}
	for _, d := range [...]struct {
		field       string
		value       duration
		least, most time.Duration
	}{
		{"database.statement_timeout", c.StatementTimeout, minStatementTimeout, maxStatementTimeout},
		{"database.lock_timeout", c.LockTimeout, time.Millisecond, maxLockTimeout},
	} {
		if v := time.Duration(d.value); v != 0 && (v < d.least || v > d.most) {
			return &settingError{d.field, v.String(), d.least.String() + " to " + d.most.String()}
		}
	}
	return nil
}

// into puts the settings into those of a store.
func (c *databaseConfig) into(o *sqlstore.OpenConfig) {
	o.ReadConns, o.WriteConns = int(c.ReadConnections), int(c.WriteConnections)
	o.StatementTimeout, o.LockTimeout = time.Duration(c.StatementTimeout), time.Duration(c.LockTimeout)
	o.NoNotify = c.Notify != nil && !*c.Notify
}
