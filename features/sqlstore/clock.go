package sqlstore

import (
	"context"
	"time"
)

// Clock returns a reading of the server's clock, which several processes share; nil for SQLite,
// whose processes share that of their machine.
func (s *Store) Clock() func(context.Context) (time.Time, error) {
	if !s.dialect.severalWriters {
		return nil
	}
	return func(ctx context.Context) (at time.Time, err error) {
		err = s.reader.QueryRowxContext(ctx, "SELECT clock_timestamp()").Scan(&at)
		return at, fail(ctx, "read the clock", err)
	}
}
