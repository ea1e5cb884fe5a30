-- +goose Up
-- What stays of an erasure: who asked, when, how much there was, and a commitment that says nothing without its salt,
-- which is not kept (features.Erased). A customer whom an import brought again may be erased again: both stay.
CREATE TABLE erasures (
    customer_id TEXT    NOT NULL,
    erased_at   INTEGER NOT NULL,
    erased_by   TEXT    NOT NULL,
    commitment  BLOB    NOT NULL,
    cells       INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    purchases   INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (customer_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_by_time ON erasures (erased_at, customer_id);

-- Whose write a key belongs to, so that an erasure finds it, and how much of it came too early. A scope was
-- "principal method customer" or "principal method customer resource".
ALTER TABLE idempotency ADD COLUMN customer_id TEXT NOT NULL DEFAULT '';
ALTER TABLE idempotency ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0;
UPDATE idempotency SET customer_id = substr(scope, instr(scope, ' ') + 1);
UPDATE idempotency SET customer_id = substr(customer_id, instr(customer_id, ' ') + 1) || ' ';
UPDATE idempotency SET customer_id = substr(customer_id, 1, instr(customer_id, ' ') - 1);
CREATE INDEX idempotency_by_customer ON idempotency (customer_id);

-- Facts dated after their recording by more than features.FutureTolerance, as they came, each once.
CREATE TABLE quarantined (
    place       INTEGER NOT NULL PRIMARY KEY,
    customer_id TEXT    NOT NULL,
    digest      BLOB    NOT NULL,
    what        TEXT    NOT NULL,
    event_at    INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    UNIQUE (customer_id, digest)
) STRICT;

-- Of what was removed and written in the same microsecond, the removal counts now. Opening the store folds the heads of
-- whoever had anything removed again.
INSERT INTO stale_heads (customer_id)
    SELECT DISTINCT customer_id FROM cells WHERE tombstone = 1
    ON CONFLICT (customer_id) DO NOTHING;

-- +goose Down
DROP INDEX idempotency_by_customer;
ALTER TABLE idempotency DROP COLUMN quarantined;
ALTER TABLE idempotency DROP COLUMN customer_id;
DROP TABLE quarantined;
DROP TABLE erasures;
