-- +goose Up
-- The events of one customer lie together: a head and a read of the past take all of his. An event is there once by its
-- id; a correction that an import brings replaces it, wherever it lies.
CREATE TABLE customer_events (
    customer_id  TEXT    NOT NULL,
    event_at     INTEGER NOT NULL,
    event_id     TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    known_at     INTEGER NOT NULL,
    product_code TEXT    NOT NULL,
    decision_id  TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    attributes   TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (customer_id, event_at, event_id)
) STRICT, WITHOUT ROWID;
INSERT INTO customer_events (customer_id, event_at, event_id, kind, known_at, product_code, decision_id, channel, attributes, seq)
    SELECT customer_id, event_at, event_id, kind, known_at, product_code, decision_id, channel, attributes, seq
    FROM events ORDER BY customer_id, event_at, event_id;
DROP TABLE events;
ALTER TABLE customer_events RENAME TO events;
CREATE UNIQUE INDEX events_by_id ON events (event_id);

-- Customers whose heads were folded before a head held consents and the trail. Opening the store folds them again and
-- takes them off the list in the same transaction.
CREATE TABLE stale_heads (
    customer_id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO stale_heads (customer_id)
    SELECT customer_id FROM events UNION SELECT customer_id FROM cells WHERE view = 'consent';

-- +goose Down
DROP TABLE stale_heads;
CREATE TABLE events_by_arrival (
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
INSERT INTO events_by_arrival (event_id, customer_id, kind, event_at, known_at, product_code, decision_id, channel, attributes, seq)
    SELECT event_id, customer_id, kind, event_at, known_at, product_code, decision_id, channel, attributes, seq FROM events;
DROP TABLE events;
ALTER TABLE events_by_arrival RENAME TO events;
