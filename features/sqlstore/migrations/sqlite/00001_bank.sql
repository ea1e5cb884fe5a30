-- +goose Up
-- One row for each transaction that changed anything. seq is the store's only sequence: a customer's revision and the
-- bound of a cut are numbers of it. market: pool or market data changed.
CREATE TABLE transactions (
    seq         INTEGER NOT NULL PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    market      INTEGER NOT NULL CHECK (market IN (0, 1))
) STRICT;
CREATE INDEX transactions_by_market ON transactions (market, seq);

-- The truth about customers. Times are microseconds since 1970, 0 where features.Cell says so. digest stands for the
-- columns after it, so that a cell is there once and long values stay out of the key.
CREATE TABLE cells (
    customer_id TEXT    NOT NULL,
    view        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    event_at    INTEGER NOT NULL,
    known_at    INTEGER NOT NULL,
    source_seq  INTEGER NOT NULL,
    digest      BLOB    NOT NULL,
    value       TEXT    NOT NULL,
    valid_to    INTEGER NOT NULL,
    tombstone   INTEGER NOT NULL CHECK (tombstone IN (0, 1)),
    source      TEXT    NOT NULL,
    purpose     TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (customer_id, view, name, event_at, known_at, source_seq, digest)
) STRICT, WITHOUT ROWID;

-- What an online read needs: the fold of the cells and interactions, right for every instant from effective_from on.
CREATE TABLE heads (
    customer_id    TEXT    NOT NULL PRIMARY KEY,
    revision       INTEGER NOT NULL,
    effective_from INTEGER NOT NULL,
    head           BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- A correction is another row with a newer seq; the older row stays for the cuts of its time. Days are yyyymmdd.
CREATE TABLE interactions (
    customer_id  TEXT    NOT NULL,
    product_code TEXT    NOT NULL,
    known_on     INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    amount       INTEGER NOT NULL,
    PRIMARY KEY (customer_id, product_code, known_on, kind, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE navs (
    product_code TEXT    NOT NULL,
    nav_date     INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    unit_nav     REAL    NOT NULL,
    accum_nav    REAL    NOT NULL,
    PRIMARY KEY (product_code, nav_date, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar_days (
    day  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1)),
    PRIMARY KEY (day, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE pool_revisions (
    revision     INTEGER NOT NULL PRIMARY KEY,
    hash         BLOB    NOT NULL,
    published_at INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    products     INTEGER NOT NULL
) STRICT;

CREATE TABLE pool_products (
    revision     INTEGER NOT NULL REFERENCES pool_revisions (revision),
    product_code TEXT    NOT NULL,
    product      BLOB    NOT NULL,
    PRIMARY KEY (revision, product_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
    kind        TEXT NOT NULL,
    artifact_id TEXT NOT NULL,
    data        BLOB NOT NULL,
    PRIMARY KEY (kind, artifact_id)
) STRICT;

CREATE TABLE active_artifacts (
    kind         TEXT    NOT NULL PRIMARY KEY,
    artifact_id  TEXT    NOT NULL,
    activated_at INTEGER NOT NULL,
    FOREIGN KEY (kind, artifact_id) REFERENCES artifacts (kind, artifact_id)
) STRICT, WITHOUT ROWID;

-- The change log. position rises without a gap in the order of commits, because there is one writer.
CREATE TABLE changes (
    position    INTEGER NOT NULL PRIMARY KEY,
    seq         INTEGER NOT NULL,
    customer_id TEXT    NOT NULL,
    UNIQUE (seq, customer_id)
) STRICT;

CREATE TABLE idempotency (
    scope           TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    body_hash       BLOB    NOT NULL,
    revision        INTEGER NOT NULL,
    changed         INTEGER NOT NULL CHECK (changed IN (0, 1)),
    recorded_at     INTEGER NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (recorded_at);

CREATE TABLE events (
    event_id     TEXT    NOT NULL PRIMARY KEY,
    customer_id  TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    event_at     INTEGER NOT NULL,
    known_at     INTEGER NOT NULL,
    product_code TEXT    NOT NULL,
    decision_id  TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    attributes   TEXT    NOT NULL,
    seq          INTEGER NOT NULL
) STRICT;

CREATE TABLE managers (
    manager_id    TEXT    NOT NULL PRIMARY KEY,
    branch_id     TEXT    NOT NULL,
    licence_id    TEXT    NOT NULL,
    licence_until INTEGER NOT NULL,
    seq           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE branches (
    branch_id TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL,
    region    TEXT    NOT NULL,
    parent_id TEXT    NOT NULL,
    seq       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE branches;
DROP TABLE managers;
DROP TABLE events;
DROP TABLE idempotency;
DROP TABLE changes;
DROP TABLE active_artifacts;
DROP TABLE artifacts;
DROP TABLE pool_products;
DROP TABLE pool_revisions;
DROP TABLE calendar_days;
DROP TABLE navs;
DROP TABLE interactions;
DROP TABLE heads;
DROP TABLE cells;
DROP TABLE transactions;
