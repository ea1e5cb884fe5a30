-- +goose Up
-- What stays of an erasure: who asked, when, how much there was, and a commitment that says nothing without its salt,
-- which is not kept (features.Erased).
CREATE TABLE erasures (
    customer_id TEXT    NOT NULL PRIMARY KEY,
    erased_at   INTEGER NOT NULL,
    erased_by   TEXT    NOT NULL,
    commitment  BLOB    NOT NULL,
    cells       INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    purchases   INTEGER NOT NULL,
    seq         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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
DROP TABLE quarantined;
DROP TABLE erasures;
