package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Confirm is features.Confirmations. Its commit waits for the disk, as that of Use: a word
// that was used must not be free again after a power failure.
func (s *Store) Confirm(ctx context.Context, cs []features.Confirmation) error {
	if err := features.CheckConfirmations(cs); err != nil {
		return err
	}
	err := s.durably(ctx, func(tx *sqlx.Tx) error {
		for i := range cs {
			if err := s.confirm(ctx, tx, &cs[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return fail(ctx, "keep confirmations", err)
}

// confirm keeps one confirmation that is not there.
func (s *Store) confirm(ctx context.Context, tx *sqlx.Tx, c *features.Confirmation) error {
	var revision uint64
	err := tx.Stmtx(s.stmts[storedRevision]).QueryRowContext(ctx, c.CustomerID).Scan(&revision)
	if errors.Is(err, sql.ErrNoRows) {
		return notFound("customer", c.CustomerID)
	}
	if err != nil {
		return err
	}
	old, err := scanConfirmation(tx.Stmtx(s.stmts[storedConfirmation]).QueryRowContext(ctx, c.ID))
	switch {
	case err == nil && old.SameWord(c):
		return nil
	case err == nil:
		return fmt.Errorf("%w: confirmation %s is there with other content", features.ErrInvalid, c.ID)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	_, err = tx.Stmtx(s.stmts[insertConfirmation]).ExecContext(ctx, c.ID, c.CustomerID, c.RuleID, c.Reason, c.ProductCode,
		int64(c.Grade), int64(c.Level), int64(c.Amount), c.DecisionID, c.Channel, c.Trace, c.RecordingID, c.ManagerID, c.ReviewerID,
		int64(c.AskedAt), int64(c.ConfirmedAt), int64(c.ExpiresAt), c.UsedBy, int64(c.UsedAt))
	return err
}

func scanConfirmation(row *sql.Row) (c features.Confirmation, err error) {
	err = row.Scan(&c.ID, &c.CustomerID, &c.RuleID, &c.Reason, &c.ProductCode, &c.Grade, &c.Level, &c.Amount, &c.DecisionID,
		&c.Channel, &c.Trace, &c.RecordingID, &c.ManagerID, &c.ReviewerID, &c.AskedAt, &c.ConfirmedAt, &c.ExpiresAt, &c.UsedBy, &c.UsedAt)
	return c, err
}

// Confirmations is features.Confirmations. But for its use a confirmation never changes, and
// it is used once, so that several reads need no snapshot.
func (s *Store) Confirmations(ctx context.Context, customerID string, ids []string) ([]features.Confirmation, error) {
	if err := features.CheckConfirmationIDs(ids); err != nil {
		return nil, err
	}
	var out []features.Confirmation
	for _, id := range ids {
		c, err := scanConfirmation(s.stmts[selectConfirmation].QueryRowContext(ctx, customerID, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil, notFound("confirmation", id)
		}
		if err != nil {
			return nil, fail(ctx, "read confirmations", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// Use is features.Confirmations. The transaction is the only writer, or locks each word that
// it reads, so that what it reads stands until it ends.
func (s *Store) Use(ctx context.Context, customerID string, ids []string, decisionID string, at fund.Instant) error {
	if err := features.CheckUse(ids, decisionID, at); err != nil {
		return err
	}
	err := s.durably(ctx, func(tx *sqlx.Tx) error {
		for _, id := range ids {
			if err := s.use(ctx, tx, customerID, id, decisionID, at); err != nil {
				return err
			}
		}
		return nil
	})
	return fail(ctx, "use confirmations", err)
}

func (s *Store) use(ctx context.Context, tx *sqlx.Tx, customerID, id, decisionID string, at fund.Instant) error {
	c, err := scanConfirmation(tx.Stmtx(s.stmts[storedConfirmation]).QueryRowContext(ctx, id))
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && c.CustomerID != customerID:
		return notFound("confirmation", id)
	case err != nil:
		return err
	case c.UsedBy == decisionID:
		return nil
	case c.UsedBy != "":
		return fmt.Errorf("%w: %s", features.ErrConfirmationUsed, id)
	}
	_, err = tx.Stmtx(s.stmts[useConfirmation]).ExecContext(ctx, decisionID, int64(at), id)
	return err
}
