package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/fundmatch/fundmatch/features"
)

// openAttempts is how often a migration is tried, besides once for each that there is.
const openAttempts = 3

// migrate brings the schema up to date. Processes that open a new file together all try;
// those that come second to a migration fail at it once and find its work done. Those that
// open a PostgreSQL together take turns before they come here.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	folder, err := fs.Sub(migrations, s.dialect.migrations)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(s.dialect.goose, db, folder)
	if err != nil {
		return err
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	for attempt := 1; ; attempt++ {
		if s.version, err = provider.GetDBVersion(ctx); err == nil {
			if s.version > newest {
				return newerStore(s.version, newest)
			}
			if _, err = provider.Up(ctx); err == nil {
				s.version = newest
				return nil
			}
		}
		if attempt == openAttempts+len(sources) || ctx.Err() != nil {
			return err
		}
	}
}

// newestMigration returns the version of the schema that this program brings.
func (d *dialect) newestMigration() (int64, error) {
	entries, err := fs.ReadDir(migrations, d.migrations)
	if err != nil || len(entries) == 0 {
		return 0, fmt.Errorf("no migrations in %s: %w", d.migrations, err)
	}
	return goose.NumericComponent(entries[len(entries)-1].Name())
}

func newerStore(version, newest int64) error {
	return fmt.Errorf("%w: schema %d, this program knows %d", features.ErrNewerStore, version, newest)
}
