package sqlstore

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
)

// Quarantined is features.Quarantine.
func (s *Store) Quarantined(ctx context.Context, yield func(*features.QuarantinedFact) error) error {
	var refused error // by yield: the caller's own, which says nothing of the store
	err := each(ctx, s.stmts[selectQuarantined], func(rows *sqlx.Rows) error {
		var q features.QuarantinedFact
		if err := rows.Scan(&q.CustomerID, &q.What, &q.EventAt, &q.RecordedAt, &q.Content); err != nil {
			return err
		}
		refused = yield(&q)
		return refused
	})
	if refused != nil {
		return refused
	}
	return fail(ctx, "read the quarantine", err)
}

// keepEarly keeps facts that came too early; one that is there stays as it came first.
func (u *unit) keepEarly(facts ...features.QuarantinedFact) error {
	for i := range facts {
		q := &facts[i]
		if err := u.bulks[insertQuarantined].add(u.ctx, q.CustomerID, q.Digest(), q.What, int64(q.EventAt), int64(q.RecordedAt), q.Content); err != nil {
			return err
		}
	}
	return nil
}
