-- +goose Up
-- The schema of SQLite's version 4 in one step, so that both have the same versions from here on. There is no way down:
-- a bank's database only ever goes forward. Texts compare by bytes, as everywhere in fundmatch. Times are microseconds
-- since 1970, days yyyymmdd, money fen.

-- One row for each number of a transaction that changed anything. A customer's revision and the bound of a cut are
-- such numbers; the sequence gives them, to a customer's writers one after the other, because they lock his head.
-- market: pool or market data changed; such transactions exclude each other.
CREATE SEQUENCE transaction_seq AS bigint;
CREATE TABLE transactions (
    seq         bigint  NOT NULL PRIMARY KEY,
    recorded_at bigint  NOT NULL,
    market      boolean NOT NULL
);
CREATE INDEX transactions_by_market ON transactions (market, seq);

CREATE TABLE cells (
    customer_id text COLLATE "C" NOT NULL,
    view        text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    event_at    bigint           NOT NULL,
    known_at    bigint           NOT NULL,
    source_seq  bigint           NOT NULL,
    digest      bytea            NOT NULL,
    value       text COLLATE "C" NOT NULL,
    valid_to    bigint           NOT NULL,
    tombstone   boolean          NOT NULL,
    source      text COLLATE "C" NOT NULL,
    purpose     text COLLATE "C" NOT NULL,
    seq         bigint           NOT NULL,
    PRIMARY KEY (customer_id, view, name, event_at, known_at, source_seq, digest)
);

-- A head is rewritten by every write of its customer: room in the page keeps its new version beside the old one, and
-- nothing in it but the key is indexed.
CREATE TABLE heads (
    customer_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    revision       bigint           NOT NULL,
    effective_from bigint           NOT NULL,
    head           bytea            NOT NULL
) WITH (fillfactor = 70);
-- Heads are small and dense: packing them costs every read more than it saves.
ALTER TABLE heads ALTER COLUMN head SET STORAGE EXTERNAL;

CREATE TABLE interactions (
    customer_id  text COLLATE "C" NOT NULL,
    product_code text COLLATE "C" NOT NULL,
    known_on     integer          NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    seq          bigint           NOT NULL,
    amount       bigint           NOT NULL,
    PRIMARY KEY (customer_id, product_code, known_on, kind, seq)
);

CREATE TABLE navs (
    product_code text COLLATE "C" NOT NULL,
    nav_date     integer          NOT NULL,
    seq          bigint           NOT NULL,
    unit_nav     double precision NOT NULL,
    accum_nav    double precision NOT NULL,
    PRIMARY KEY (product_code, nav_date, seq)
);

CREATE TABLE calendar_days (
    day  integer NOT NULL,
    seq  bigint  NOT NULL,
    open boolean NOT NULL,
    PRIMARY KEY (day, seq)
);

CREATE TABLE pool_revisions (
    revision     bigint  NOT NULL PRIMARY KEY,
    hash         bytea   NOT NULL,
    published_at bigint  NOT NULL,
    seq          bigint  NOT NULL,
    products     integer NOT NULL
);

CREATE TABLE pool_products (
    revision     bigint           NOT NULL REFERENCES pool_revisions (revision),
    product_code text COLLATE "C" NOT NULL,
    product      bytea            NOT NULL,
    PRIMARY KEY (revision, product_code)
);

CREATE TABLE artifacts (
    kind        text COLLATE "C" NOT NULL,
    artifact_id text COLLATE "C" NOT NULL,
    data        bytea            NOT NULL,
    PRIMARY KEY (kind, artifact_id)
);

CREATE TABLE artifact_activations (
    place        bigint           NOT NULL PRIMARY KEY,
    kind         text COLLATE "C" NOT NULL,
    artifact_id  text COLLATE "C" NOT NULL,
    activated_at bigint           NOT NULL,
    activated_by text COLLATE "C" NOT NULL,
    note         text COLLATE "C" NOT NULL,
    FOREIGN KEY (kind, artifact_id) REFERENCES artifacts (kind, artifact_id)
);
CREATE INDEX artifact_activations_by_kind ON artifact_activations (kind, place);

-- The change log. Its order is that of the database's transaction numbers: at any moment, those below the oldest
-- transaction that runs are all there are. written_at is the database's own clock, for the lag of a reader only.
CREATE TABLE changes (
    tx          bigint           NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    entry       bigint           NOT NULL GENERATED ALWAYS AS IDENTITY,
    seq         bigint           NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    written_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tx, entry),
    UNIQUE (seq, customer_id)
);

CREATE TABLE idempotency (
    scope           text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    body_hash       bytea            NOT NULL,
    revision        bigint           NOT NULL,
    changed         boolean          NOT NULL,
    recorded_at     bigint           NOT NULL,
    customer_id     text COLLATE "C" NOT NULL DEFAULT '',
    quarantined     bigint           NOT NULL DEFAULT 0,
    PRIMARY KEY (scope, idempotency_key)
);
CREATE INDEX idempotency_by_customer ON idempotency (customer_id);
CREATE INDEX idempotency_by_age ON idempotency (recorded_at);

CREATE TABLE events (
    customer_id  text COLLATE "C" NOT NULL,
    event_at     bigint           NOT NULL,
    event_id     text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    known_at     bigint           NOT NULL,
    product_code text COLLATE "C" NOT NULL,
    decision_id  text COLLATE "C" NOT NULL,
    channel      text COLLATE "C" NOT NULL,
    attributes   text COLLATE "C" NOT NULL,
    seq          bigint           NOT NULL,
    PRIMARY KEY (customer_id, event_at, event_id)
);
CREATE UNIQUE INDEX events_by_id ON events (event_id);

CREATE TABLE managers (
    manager_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    branch_id     text COLLATE "C" NOT NULL,
    licence_id    text COLLATE "C" NOT NULL,
    licence_until integer          NOT NULL,
    seq           bigint           NOT NULL
);

CREATE TABLE branches (
    branch_id text COLLATE "C" NOT NULL PRIMARY KEY,
    name      text COLLATE "C" NOT NULL,
    region    text COLLATE "C" NOT NULL,
    parent_id text COLLATE "C" NOT NULL,
    seq       bigint           NOT NULL
);

-- Customers whose heads a later migration makes wrong; opening the store folds them again.
CREATE TABLE stale_heads (
    customer_id text COLLATE "C" NOT NULL PRIMARY KEY
);

CREATE TABLE confirmations (
    confirmation_id text COLLATE "C" NOT NULL PRIMARY KEY,
    customer_id     text COLLATE "C" NOT NULL,
    rule_id         text COLLATE "C" NOT NULL,
    reason          text COLLATE "C" NOT NULL,
    product_code    text COLLATE "C" NOT NULL,
    grade           smallint         NOT NULL,
    level           smallint         NOT NULL,
    amount          bigint           NOT NULL,
    decision_id     text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    trace           text COLLATE "C" NOT NULL,
    recording_id    text COLLATE "C" NOT NULL,
    manager_id      text COLLATE "C" NOT NULL,
    reviewer_id     text COLLATE "C" NOT NULL,
    asked_at        bigint           NOT NULL,
    confirmed_at    bigint           NOT NULL,
    expires_at      bigint           NOT NULL,
    used_by         text COLLATE "C" NOT NULL,
    used_at         bigint           NOT NULL,
    CHECK ((used_by = '') = (used_at = 0))
);
CREATE INDEX confirmations_by_customer ON confirmations (customer_id, confirmed_at);

CREATE TABLE erasures (
    customer_id text COLLATE "C" NOT NULL,
    erased_at   bigint           NOT NULL,
    erased_by   text COLLATE "C" NOT NULL,
    commitment  bytea            NOT NULL,
    cells       bigint           NOT NULL,
    events      bigint           NOT NULL,
    purchases   bigint           NOT NULL,
    seq         bigint           NOT NULL,
    PRIMARY KEY (customer_id, seq)
);
CREATE INDEX erasures_by_time ON erasures (erased_at, customer_id);

CREATE TABLE quarantined (
    place       bigint           NOT NULL GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL,
    digest      bytea            NOT NULL,
    what        text COLLATE "C" NOT NULL,
    event_at    bigint           NOT NULL,
    recorded_at bigint           NOT NULL,
    content     text COLLATE "C" NOT NULL,
    UNIQUE (customer_id, digest)
);
