-- +goose Up
-- The recorded word of a customer, or of who decided a review, on one warning. Evidence: a row is written once, used
-- once, and kept when the customer is erased (rule C06). Times are microseconds since 1970; used_at 0: not used.
CREATE TABLE confirmations (
    confirmation_id TEXT    NOT NULL PRIMARY KEY,
    customer_id     TEXT    NOT NULL,
    rule_id         TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    product_code    TEXT    NOT NULL,
    grade           INTEGER NOT NULL,
    level           INTEGER NOT NULL,
    amount          INTEGER NOT NULL,
    decision_id     TEXT    NOT NULL,
    channel         TEXT    NOT NULL,
    trace           TEXT    NOT NULL,
    recording_id    TEXT    NOT NULL,
    manager_id      TEXT    NOT NULL,
    reviewer_id     TEXT    NOT NULL,
    asked_at        INTEGER NOT NULL,
    confirmed_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_by         TEXT    NOT NULL,
    used_at         INTEGER NOT NULL,
    CHECK ((used_by = '') = (used_at = 0))
) STRICT, WITHOUT ROWID;
CREATE INDEX confirmations_by_customer ON confirmations (customer_id, confirmed_at);

-- Who put which artifact in force, when and why; rows are only added. place is the order in which they came: the last
-- one of a kind is in force. What is in force before is the first entry; nobody is known to have done it.
CREATE TABLE artifact_activations (
    place        INTEGER NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL,
    artifact_id  TEXT    NOT NULL,
    activated_at INTEGER NOT NULL,
    activated_by TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    FOREIGN KEY (kind, artifact_id) REFERENCES artifacts (kind, artifact_id)
) STRICT;
CREATE INDEX artifact_activations_by_kind ON artifact_activations (kind, place);
INSERT INTO artifact_activations (place, kind, artifact_id, activated_at, activated_by, note)
    SELECT ROW_NUMBER() OVER (ORDER BY activated_at, kind), kind, artifact_id, activated_at, '', '' FROM active_artifacts;
DROP TABLE active_artifacts;

-- A head holds the assessments that the customer ever took. Opening the store folds those heads again.
INSERT INTO stale_heads (customer_id)
    SELECT DISTINCT customer_id FROM cells WHERE view = 'assessment' AND name = 'assessed'
    ON CONFLICT (customer_id) DO NOTHING;

-- +goose Down
CREATE TABLE active_artifacts (
    kind         TEXT    NOT NULL PRIMARY KEY,
    artifact_id  TEXT    NOT NULL,
    activated_at INTEGER NOT NULL,
    FOREIGN KEY (kind, artifact_id) REFERENCES artifacts (kind, artifact_id)
) STRICT, WITHOUT ROWID;
INSERT INTO active_artifacts (kind, artifact_id, activated_at)
    SELECT kind, artifact_id, activated_at FROM artifact_activations v
    WHERE place = (SELECT MAX(place) FROM artifact_activations w WHERE w.kind = v.kind);
DROP TABLE artifact_activations;
DROP TABLE confirmations;
