package sqlstore

import (
	"database/sql"
	"embed"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// dialect is what differs from one database to another: the driver, the placeholders, the
// folder of migrations and the text of whichever statement needs its own. sqlite.go and
// postgres.go have one each.
type dialect struct {
	driver          string // of database/sql
	bind            int    // sqlx's kind of placeholder
	goose           goose.Dialect
	migrations      string // folder
	severalWriters  bool   // transactions that write run at the same time, and lock what they need
	snapshot        *sql.TxOptions
	list            func([]string) any     // makes an argument of texts that fund.CheckID accepts, for statements that take a list
	newcomersAtOnce int                    // customers whose rows are prepared and inserted together
	statements      [statementCount]string // "": this database needs none
	inserts         [insertCount]insert
}

// statement names a query.
type statement int

// The queries. Those before nextSeq run on the readers' connections.
const (
	selectHead statement = iota // hot
	selectCells
	selectPurchases
	selectChanges
	selectChangesEnd
	selectCustomerIDs
	selectPublished
	selectRevision
	selectPool
	streamNAVs
	streamPurchases
	selectCalendar
	selectArtifact
	selectArtifactID
	selectActive
	selectActiveID
	selectActiveAt
	selectActivations
	selectConfirmation
	selectKnown
	selectEvents
	selectManager
	anyStale
	listedHeads // hot
	listedCustomers
	rangeOfCustomers
	listedCells
	listedCellsOfViews
	listedPurchases
	listedEvents
	selectErased
	selectErasedSince
	selectQuarantined
	nextSeq
	storedRevision
	lockHead
	lockHeads
	lockRevisions
	lockMarket
	restampCells
	restampPurchases
	restampEvents
	selectReplay
	expireReplays
	rememberReplay
	insertTransaction
	touchedCustomers
	touchedCells
	touchedPurchases
	touchedEvents
	staleCustomers
	staleCells
	stalePurchases
	staleEvents
	unlistStale
	storedCells
	storedCustomer
	standsInStore
	storedHead
	storedEvent
	storedNAVs
	storedPurchase
	storedPool
	anyCell
	anyPurchase
	anyNAV
	anyEvent
	insertRevision
	upsertCalendarDay
	storedCalendar
	upsertManager
	upsertBranch
	insertArtifact
	insertActivation
	insertConfirmation
	storedConfirmation
	useConfirmation
	standingErasure
	insertErasure
	hisPurchases
	hisEvents
	hisQuarantined
	keepNameless
	deletePurchases
	deleteCells
	deleteEvents
	deleteHead
	deleteStale
	deleteQuarantined
	deleteReplays
	statementCount
)

const eventColumns = `e.customer_id, e.event_at, e.event_id, e.kind, e.known_at, e.product_code, e.decision_id, e.channel, e.attributes, e.seq`

const cellColumns = `c.customer_id, c.view, c.name, c.event_at, c.known_at, c.source_seq, c.value, c.valid_to, c.tombstone, c.source, c.purpose, c.seq`

// statements are the texts that SQLite and PostgreSQL have in common, with question
// marks for placeholders.
func statements() [statementCount]string {
	all := [statementCount]string{
		selectHead:        `SELECT effective_from, head FROM heads WHERE customer_id = ?`,
		selectCells:       `SELECT ` + cellColumns + ` FROM cells c WHERE c.customer_id = ?`,
		selectPurchases:   `SELECT customer_id, product_code, known_on, kind, amount, seq FROM interactions WHERE customer_id = ? ORDER BY product_code, known_on, kind, seq`,
		selectChanges:     `SELECT position, seq, customer_id FROM changes WHERE position > ? ORDER BY position LIMIT ?`,
		selectChangesEnd:  `SELECT position, seq FROM changes WHERE position = (SELECT MAX(position) FROM changes)`,
		selectCustomerIDs: `SELECT customer_id FROM heads WHERE customer_id > ? ORDER BY customer_id LIMIT ?`,
		selectPublished: `SELECT revision, hash, published_at, products,
			(SELECT MAX(seq) FROM transactions WHERE market = TRUE) AS seq
			FROM pool_revisions WHERE revision = (SELECT MAX(revision) FROM pool_revisions)`,
		selectRevision:   `SELECT products FROM pool_revisions WHERE revision = ?`,
		selectPool:       `SELECT product FROM pool_products WHERE revision = ? ORDER BY product_code`,
		streamNAVs:       `SELECT product_code, nav_date, unit_nav, accum_nav FROM navs WHERE nav_date < ? AND seq <= ? ORDER BY product_code, nav_date, seq`,
		streamPurchases:  `SELECT customer_id, product_code, known_on, kind, amount, seq FROM interactions WHERE known_on <= ? AND seq <= ? ORDER BY customer_id, product_code, known_on, kind, seq`,
		selectCalendar:   `SELECT day, open FROM calendar_days WHERE seq <= ? ORDER BY day, seq`,
		selectArtifact:   `SELECT data FROM artifacts WHERE kind = ? AND artifact_id = ?`,
		selectArtifactID: `SELECT artifact_id FROM artifacts WHERE kind = ? AND artifact_id = ?`,

		nextSeq:        `SELECT COALESCE(MAX(seq), 0) + 1 FROM transactions`,
		storedRevision: `SELECT revision FROM heads WHERE customer_id = ?`,
		lockHead:       `SELECT revision FROM heads WHERE customer_id = ?`, // the only writer has locked everything
		selectReplay:   `SELECT body_hash, revision, changed, quarantined FROM idempotency WHERE scope = ? AND idempotency_key = ? AND recorded_at > ?`,
		expireReplays:  `DELETE FROM idempotency WHERE recorded_at <= ?`,
		rememberReplay: `INSERT INTO idempotency (scope, idempotency_key, body_hash, revision, changed, quarantined, recorded_at, customer_id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		insertTransaction: `INSERT INTO transactions (seq, recorded_at, market) VALUES (?, ?, ?)`,
		touchedCustomers:  `SELECT customer_id FROM changes WHERE seq = ? AND customer_id > ? ORDER BY customer_id LIMIT ?`,
		touchedCells: `SELECT ` + cellColumns + ` FROM changes t CROSS JOIN cells c
			WHERE t.seq = ? AND t.customer_id >= ? AND t.customer_id <= ? AND c.customer_id = t.customer_id ORDER BY t.customer_id`,
		touchedPurchases: `SELECT i.customer_id, i.product_code, i.known_on, i.kind, i.amount, i.seq FROM changes t CROSS JOIN interactions i
			WHERE t.seq = ? AND t.customer_id >= ? AND t.customer_id <= ? AND i.customer_id = t.customer_id
			ORDER BY t.customer_id, i.product_code, i.known_on, i.kind, i.seq`,
		storedCells: `SELECT ` + cellColumns + ` FROM cells c WHERE c.customer_id = ?`,
		// A head that the import itself wrote may be of somebody who has no cell yet.
		storedCustomer: `SELECT EXISTS (SELECT 1 FROM heads WHERE customer_id = ? AND revision <> ?) OR EXISTS (SELECT 1 FROM cells WHERE customer_id = ?)`,
		standsInStore:  `SELECT EXISTS (SELECT 1 FROM heads WHERE customer_id = ?)`,
		storedNAVs:     `SELECT nav_date, unit_nav, accum_nav FROM navs WHERE product_code = ? ORDER BY nav_date, seq`,
		storedPurchase: `SELECT amount FROM interactions WHERE customer_id = ? AND product_code = ? AND known_on = ? AND kind = ? ORDER BY seq DESC LIMIT 1`,
		storedPool: `SELECT product_code, product FROM pool_products
			WHERE revision = (SELECT MAX(revision) FROM pool_revisions) ORDER BY product_code`,
		anyCell:        `SELECT EXISTS (SELECT 1 FROM cells)`,
		anyPurchase:    `SELECT EXISTS (SELECT 1 FROM interactions)`,
		anyNAV:         `SELECT EXISTS (SELECT 1 FROM navs)`,
		insertRevision: `INSERT INTO pool_revisions (revision, hash, published_at, seq, products) VALUES (?, ?, ?, ?, ?)`,
		upsertCalendarDay: `INSERT INTO calendar_days (day, seq, open) VALUES (?, ?, ?)
			ON CONFLICT (day, seq) DO UPDATE SET open = excluded.open`,
		storedCalendar: `SELECT day, open FROM calendar_days ORDER BY day, seq`,
		upsertManager: `INSERT INTO managers (manager_id, branch_id, licence_id, licence_until, seq) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (manager_id) DO UPDATE SET branch_id = excluded.branch_id, licence_id = excluded.licence_id,
				licence_until = excluded.licence_until, seq = excluded.seq
			WHERE managers.branch_id <> excluded.branch_id OR managers.licence_id <> excluded.licence_id
				OR managers.licence_until <> excluded.licence_until`,
		upsertBranch: `INSERT INTO branches (branch_id, name, region, parent_id, seq) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (branch_id) DO UPDATE SET name = excluded.name, region = excluded.region, parent_id = excluded.parent_id, seq = excluded.seq
			WHERE branches.name <> excluded.name OR branches.region <> excluded.region OR branches.parent_id <> excluded.parent_id`,
		insertArtifact: `INSERT INTO artifacts (kind, artifact_id, data) VALUES (?, ?, ?) ON CONFLICT (kind, artifact_id) DO NOTHING`,
	}
	addEventStatements(&all)
	addEvidenceStatements(&all)
	addListStatements(&all)
	addErasureStatements(&all)
	all[selectQuarantined] = `SELECT customer_id, what, event_at, recorded_at, content FROM quarantined ORDER BY place`
	return all
}

// addEventStatements adds those of events, and of the heads that have to be folded again
// because an older version left events out.
func addEventStatements(all *[statementCount]string) {
	all[selectKnown] = `SELECT EXISTS (SELECT 1 FROM heads WHERE customer_id = ?)`
	all[selectEvents] = `SELECT ` + eventColumns + ` FROM events e WHERE e.customer_id = ? AND e.event_at <= ? ORDER BY e.event_at, e.event_id`
	all[anyStale] = `SELECT EXISTS (SELECT 1 FROM stale_heads)`
	all[selectManager] = `SELECT branch_id, licence_id, licence_until FROM managers WHERE manager_id = ?`
	all[touchedEvents] = `SELECT ` + eventColumns + ` FROM changes t CROSS JOIN events e
			WHERE t.seq = ? AND t.customer_id >= ? AND t.customer_id <= ? AND e.customer_id = t.customer_id ORDER BY t.customer_id`
	all[staleCustomers] = `SELECT customer_id FROM stale_heads WHERE customer_id > ? ORDER BY customer_id LIMIT ?`
	all[staleCells] = `SELECT ` + cellColumns + ` FROM stale_heads t CROSS JOIN cells c
			WHERE t.customer_id >= ? AND t.customer_id <= ? AND c.customer_id = t.customer_id ORDER BY t.customer_id`
	all[stalePurchases] = `SELECT i.customer_id, i.product_code, i.known_on, i.kind, i.amount, i.seq FROM stale_heads t CROSS JOIN interactions i
			WHERE t.customer_id >= ? AND t.customer_id <= ? AND i.customer_id = t.customer_id
			ORDER BY t.customer_id, i.product_code, i.known_on, i.kind, i.seq`
	all[staleEvents] = `SELECT ` + eventColumns + ` FROM stale_heads t CROSS JOIN events e
			WHERE t.customer_id >= ? AND t.customer_id <= ? AND e.customer_id = t.customer_id ORDER BY t.customer_id`
	all[unlistStale] = `DELETE FROM stale_heads WHERE customer_id <= ?`
	all[storedHead] = `SELECT effective_from, head FROM heads WHERE customer_id = ?`
	all[storedEvent] = `SELECT ` + eventColumns + ` FROM events e WHERE e.event_id = ?`
	all[anyEvent] = `SELECT EXISTS (SELECT 1 FROM events)`
}

// addListStatements adds those that read many customers at once, whose ids are given as one
// list. Of rows about one customer the reader makes the order.
func addListStatements(all *[statementCount]string) {
	const listed = ` FROM json_each(?) j CROSS JOIN `
	all[listedHeads] = `SELECT j.key, h.effective_from, h.head` + listed + `heads h WHERE h.customer_id = j.value`
	all[listedCustomers] = `SELECT h.customer_id` + listed + `heads h WHERE h.customer_id = j.value`
	all[rangeOfCustomers] = `SELECT customer_id FROM heads WHERE customer_id > ? AND customer_id <= ? ORDER BY customer_id LIMIT ?`
	all[listedCells] = `SELECT ` + cellColumns + listed + `cells c WHERE c.customer_id = j.value`
	all[listedCellsOfViews] = all[listedCells] + ` AND c.view IN (SELECT value FROM json_each(?))`
	all[listedPurchases] = `SELECT i.customer_id, i.product_code, i.known_on, i.kind, i.amount, i.seq` + listed + `interactions i WHERE i.customer_id = j.value`
	all[listedEvents] = `SELECT ` + eventColumns + listed + `events e WHERE e.customer_id = j.value`
}

const confirmationColumns = `confirmation_id, customer_id, rule_id, reason, product_code, grade, level, amount, decision_id,
	channel, trace, recording_id, manager_id, reviewer_id, asked_at, confirmed_at, expires_at, used_by, used_at`

// addEvidenceStatements adds those of what is kept as evidence: confirmations, and who put
// which artifact in force.
func addEvidenceStatements(all *[statementCount]string) {
	const activated = `SELECT a.artifact_id, a.data FROM artifact_activations v
			JOIN artifacts a ON a.kind = v.kind AND a.artifact_id = v.artifact_id WHERE v.kind = ?`
	all[selectActive] = activated + ` ORDER BY v.place DESC LIMIT 1`
	all[selectActiveID] = `SELECT artifact_id FROM artifact_activations WHERE kind = ? ORDER BY place DESC LIMIT 1`
	all[selectActiveAt] = activated + ` AND v.activated_at <= ? ORDER BY v.place DESC LIMIT 1`
	all[selectActivations] = `SELECT artifact_id, activated_at, activated_by, note FROM artifact_activations WHERE kind = ? ORDER BY place`
	all[insertActivation] = `INSERT INTO artifact_activations (place, kind, artifact_id, activated_at, activated_by, note)
			SELECT COALESCE(MAX(place), 0) + 1, ?, ?, ?, ?, ? FROM artifact_activations`
	all[selectConfirmation] = `SELECT ` + confirmationColumns + ` FROM confirmations WHERE customer_id = ? AND confirmation_id = ?`
	all[storedConfirmation] = `SELECT ` + confirmationColumns + ` FROM confirmations WHERE confirmation_id = ?`
	all[insertConfirmation] = `INSERT INTO confirmations (` + confirmationColumns + `)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	all[useConfirmation] = `UPDATE confirmations SET used_by = ?, used_at = ? WHERE confirmation_id = ? AND used_by = ''`
}

// text returns a statement with the dialect's placeholders.
func (d *dialect) text(s statement) string { return sqlx.Rebind(d.bind, d.statements[s]) }

// insert is a statement that takes many rows at once.
type insert struct {
	into    string // table and columns
	columns int
	suffix  string
}

// bulkInsert names an insert.
type bulkInsert int

// The inserts of many rows.
const (
	insertCells bulkInsert = iota
	insertPurchases
	insertNAVs
	insertEvents  // a row that the database does not take was there: see unit.overtaken
	replaceEvents // whatever stands under their ids
	insertQuarantined
	insertTouched
	insertHeads
	insertProducts
	insertCount
)

const eventRow = `events (customer_id, event_at, event_id, kind, known_at, product_code, decision_id, channel, attributes, seq)`

func inserts() [insertCount]insert {
	return [insertCount]insert{
		insertCells: {
			`cells (customer_id, view, name, event_at, known_at, source_seq, digest, value, valid_to, tombstone, source, purpose, seq)`,
			13, ` ON CONFLICT DO NOTHING`,
		},
		insertPurchases: {
			`interactions (customer_id, product_code, known_on, kind, seq, amount)`, 6,
			` ON CONFLICT (customer_id, product_code, known_on, kind, seq) DO UPDATE SET amount = excluded.amount`,
		},
		insertNAVs: {
			`navs (product_code, nav_date, seq, unit_nav, accum_nav)`, 5,
			` ON CONFLICT (product_code, nav_date, seq) DO UPDATE SET unit_nav = excluded.unit_nav, accum_nav = excluded.accum_nav`,
		},
		insertEvents: {eventRow, 10, ` ON CONFLICT (event_id) DO NOTHING`},
		replaceEvents: {
			eventRow, 10,
			` ON CONFLICT (event_id) DO UPDATE SET customer_id = excluded.customer_id, event_at = excluded.event_at, kind = excluded.kind,
				known_at = excluded.known_at, product_code = excluded.product_code, decision_id = excluded.decision_id,
				channel = excluded.channel, attributes = excluded.attributes, seq = excluded.seq`,
		},
		insertQuarantined: {
			`quarantined (customer_id, digest, what, event_at, recorded_at, content)`, 6, ` ON CONFLICT (customer_id, digest) DO NOTHING`,
		},
		insertTouched: {`changes (seq, customer_id)`, 2, ` ON CONFLICT DO NOTHING`},
		insertHeads: {
			`heads (customer_id, revision, effective_from, head)`, 4,
			` ON CONFLICT (customer_id) DO UPDATE SET revision = excluded.revision, effective_from = excluded.effective_from, head = excluded.head`,
		},
		insertProducts: {`pool_products (revision, product_code, product)`, 3, ``},
	}
}

// rows returns the text of an insert of so many rows.
func (d *dialect) rows(b bulkInsert, n int) string {
	in := d.inserts[b]
	row := ", (" + strings.Repeat(", ?", in.columns)[2:] + ")"
	return sqlx.Rebind(d.bind, "INSERT INTO "+in.into+" VALUES "+strings.Repeat(row, n)[2:]+in.suffix)
}
