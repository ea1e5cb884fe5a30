package features

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The errors of the stores. A store wraps them with the place and the value; its
// driver's own text stays inside.
var (
	// ErrNotFound: the customer, product, revision or artifact is not in the store.
	ErrNotFound = errors.New("not found")
	// ErrNoPool: no pool revision was ever published.
	ErrNoPool = errors.New("no pool is published")
	// ErrUnavailable: the store does not answer: missing, locked, stopped, disk full.
	ErrUnavailable = errors.New("store unavailable")
	// ErrNewerStore: the store's schema is newer than this program.
	ErrNewerStore = errors.New("store was written by a newer version")
	// ErrIdempotencyReused: the idempotency key came before with another body.
	ErrIdempotencyReused = errors.New("idempotency key reused with another body")
	// ErrEventReused: the event id came before with other content.
	ErrEventReused = errors.New("event id reused with other content")
	// ErrInvalid: a value that no store may keep; it names the value.
	ErrInvalid = errors.New("invalid")
)

// Profiles keeps what is known of customers.
type Profiles interface {
	// Profile returns what was true of one customer at an instant to someone who knew
	// everything recorded by then: cells whose event time and known time are both at or
	// before it (an unknown event time: always; an unknown known time counts as the
	// event time), folded by Fold. A value outside its validity is in the profile with
	// its bounds and must not be replaced by an older one. An instant at or after
	// Revision's newest fact is answered by the head row, one read; an earlier one is
	// folded from cells, purchases and events; both give the same profile. Its trail is
	// behaviour.Of of the events that had happened and were known, whose kinds the
	// contract knows.
	// It returns ErrNotFound when nothing was ever written for the customer, and never a
	// partial profile: all of it comes from one snapshot.
	Profile(ctx context.Context, customerID string, at fund.Instant) (*fund.Profile, error)

	// Write records cells of one customer in one transaction: cells, head row, change
	// log and idempotency record, or none of them. Writing cells that are already there
	// changes nothing and returns the revision that stands. A customer that was never
	// imported: ErrNotFound. The same idempotency key with the same body within its
	// life returns the first receipt with Replayed; with another body ErrIdempotencyReused.
	// A write that was refused, also by its Guard, leaves its key free. A cell that Cell.Check refuses, or
	// with which the profile passes CheckProfile's limits: ErrInvalid.
	Write(ctx context.Context, w Write) (Receipt, error)

	// Changes returns up to limit committed changes after a position, in the order of their
	// positions; each names a customer whose profile changed, once for each transaction.
	// Several writers may commit in another order than that of the positions: a change at or below Settled
	// never appears later, one above it may. A reader that goes on from Settled, and reads again what
	// lies above it, misses none. A limit below 1: ErrInvalid.
	Changes(ctx context.Context, after Position, limit int) (ChangePage, error)

	// ChangesEnd returns a position that every change which is not committed yet lies above.
	ChangesEnd(ctx context.Context) (Position, error)

	// CustomerIDs returns up to limit ids after one, in byte order. A limit below 1:
	// ErrInvalid.
	CustomerIDs(ctx context.Context, after string, limit int) ([]string, error)
}

// Write is one change to one customer.
type Write struct {
	CustomerID  string
	Cells       []Cell
	RecordedAt  fund.Instant // when the bank's system took it: the clock of the idempotency record
	Idempotency Idempotency
	// Guard, when not nil, decides within the transaction whether the write may be made: it
	// is shown the customer's newest profile as it stands before, which it must not change,
	// and its error ends the write and is returned as it is. A replay is not asked about.
	Guard func(before *fund.Profile) error
}

// Idempotency makes a write safe to repeat. The zero value is none.
type Idempotency struct {
	Scope    string // principal, method and path
	Key      string
	BodyHash [32]byte
}

// IdempotencyLife is how long a key is remembered, in hours.
const IdempotencyLife = 24

// Receipt says what a write did.
type Receipt struct {
	Revision uint64 // the customer's revision after it
	Changed  bool   // false: everything was known already
	Replayed bool   // the answer of an earlier call under the same key
	// Quarantined counts the cells that came too early (Quarantine): they were kept aside.
	Quarantined int
}

// Position is a place in the change log: first by transaction, then by entry. The zero
// value is before everything.
type Position struct {
	Transaction uint64 // of the store: with one writer its own sequence, else the database's number
	Entry       uint64
}

// Compare orders positions.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Transaction, q.Transaction), cmp.Compare(p.Entry, q.Entry))
}

// Change is one entry of the change log.
type Change struct {
	Position   Position
	CustomerID string
}

// ChangePage is some of the change log.
type ChangePage struct {
	Changes []Change
	Settled Position // as of the reading: nothing at or below it will still appear
	// Origin names the server and database that the log is of; with another one its positions
	// may have been given out before for other changes. 0: a store that has no others.
	Origin int64
	Lag    time.Duration // between the writing of the newest of Changes and the reading, by the store's clock; 0: unknown
}

// Events keeps what customers did, and folds it into their profiles' trails.
type Events interface {
	// RecordEvents keeps a batch in one transaction: rows, heads, change log, or none of
	// them. An event that is there with the same content changes nothing and counts as a
	// duplicate, as Event.Repeats says; one whose id is there, or twice in the batch, with
	// other content is an EventReusedError, and nothing of the batch is kept. A customer
	// that was never imported: a NotFoundError. An event that Event.Check or
	// Event.CheckAttributes refuses: ErrInvalid with its place in the batch. Events may
	// come in any order and long after they happened: the profile is the same as if they
	// had come in theirs.
	RecordEvents(ctx context.Context, b EventBatch) (EventsReceipt, error)

	// Events calls yield for each event of a customer that had happened and was known at
	// an instant, ordered by event time, then id. The event is valid during the call
	// only. ErrNotFound when nothing was ever written for the customer.
	Events(ctx context.Context, customerID string, at fund.Instant, yield func(*Event) error) error
}

// EventBatch is some events as they arrived.
type EventBatch struct {
	Events     []Event
	RecordedAt fund.Instant // when the bank's system took them: KnownAt of those that give none
}

// MaxEventBatch bounds the events of one batch.
const MaxEventBatch = 1_000

// EventsReceipt says what a batch did.
type EventsReceipt struct {
	Accepted    int
	Duplicates  int
	Quarantined int // that came too early (Quarantine): kept aside, also when they come again
}

// Staff finds the bank's people.
type Staff interface {
	// Manager returns a relationship manager. ErrNotFound.
	Manager(ctx context.Context, managerID string) (Manager, error)
}

// Pools keeps the head office's pool and the market data that a core is compiled from.
// Everything that it returns for one Cut stays the same for ever: a decision of years
// ago is recomputed from it.
type Pools interface {
	// Published returns the revision in force and the newest sequence number of pool
	// and market data. ErrNoPool when nothing was published.
	Published(ctx context.Context) (Revision, error)

	// Pool returns the products of a revision in code order. ErrNotFound.
	Pool(ctx context.Context, revision uint64) ([]fund.Product, error)

	// NAVs calls yield for each product that has NAVs in the cut, in code order, with
	// its NAVs in date order. A correction replaces the value of its day from its own
	// sequence number on. The slice is valid during the call only.
	NAVs(ctx context.Context, cut Cut, yield func(productCode string, navs []fund.NAV) error) error

	// Purchases calls yield for each customer who has interactions in the cut, in id
	// order, with his interactions in (product, day, kind) order. The slice is valid
	// during the call only.
	Purchases(ctx context.Context, cut Cut, yield func(customerID string, purchases []fund.Purchase) error) error

	// Calendar returns the trading days as known at a sequence number; the assumed
	// calendar when none was loaded.
	Calendar(ctx context.Context, seq uint64) (fund.Calendar, error)
}

// Revision identifies a published pool.
type Revision struct {
	ID          uint64   // rises with every publication of other content
	Hash        [32]byte // SHA-256 of the products' canonical bytes
	PublishedAt fund.Instant
	Seq         uint64 // newest sequence number of pool and market data
	Products    int
}

// Cut bounds what a core may know: data dated before a day or known by its start, and
// written at or before a sequence number.
type Cut struct {
	// AsOf is the instant that the core speaks for. NAVs dated before its day in
	// Asia/Shanghai are in the cut, and interactions known on its day or before.
	AsOf fund.Instant
	// Seq is the newest sequence number to read.
	Seq uint64
}

// ArtifactKind says what an artifact is.
type ArtifactKind string

// The kinds of artifacts.
const (
	ModelArtifact ArtifactKind = "MODEL"
	RulesArtifact ArtifactKind = "RULES"
	ViewsArtifact ArtifactKind = "VIEWS" // a catalogue of views, as view.Parse reads it
	// ExperimentsArtifact is a plan as experiment.Parse reads it. An empty plan ends all.
	ExperimentsArtifact ArtifactKind = "EXPERIMENTS"
	// ShadowArtifact is a model whose scores are compared with those of the model in force and
	// shown to nobody. The model in force as its own shadow is none.
	ShadowArtifact ArtifactKind = "SHADOW"
	// KeptArtifact is an entry of the registry of models: its bytes are the id of a model, and
	// its history says who kept which, when and why. Nothing of it is ever in force.
	KeptArtifact ArtifactKind = "KEPT"
)

// Models keeps the versioned files that a core is compiled with, models and rule packs, and
// the catalogues of views that features are read by.
// They are named by the SHA-256 of their bytes, so that a name never changes meaning.
type Models interface {
	// Put keeps an artifact and returns its id, the hex SHA-256 of data. Putting it
	// again changes nothing.
	Put(ctx context.Context, kind ArtifactKind, data []byte) (id string, err error)

	// Artifact returns the bytes of an id. ErrNotFound.
	Artifact(ctx context.Context, kind ArtifactKind, id string) ([]byte, error)

	// Activate makes a kept artifact the one in force and adds who did it, when and why to
	// the history of its kind, also when it is in force already. An artifact that was never
	// put: ErrNotFound. One that Activation.Check refuses: ErrInvalid. The same idempotency
	// key with the same body within its life changes nothing, also when another artifact was
	// put in force since; with another body: ErrIdempotencyReused.
	Activate(ctx context.Context, a Activation) error

	// Repeats reports whether an activation under the key, with the same body and less than its
	// life before now, is in a history. With another body: ErrIdempotencyReused. No key: false.
	Repeats(ctx context.Context, i Idempotency, now fund.Instant) (bool, error)

	// Active returns the artifact in force: of the last entry of the history, whatever its
	// instant. ErrNotFound when none was activated.
	Active(ctx context.Context, kind ArtifactKind) (id string, data []byte, err error)

	// ActiveID is Active without the bytes, for who asks often whether there is another.
	ActiveID(ctx context.Context, kind ArtifactKind) (id string, err error)

	// ActiveAt returns the artifact that was in force at an instant: of the last entry of
	// the history whose instant is at or before it. ErrNotFound before the first.
	ActiveAt(ctx context.Context, kind ArtifactKind, at fund.Instant) (id string, data []byte, err error)

	// Activations returns the history of a kind, oldest first; none is none.
	Activations(ctx context.Context, kind ArtifactKind) ([]Activation, error)
}

// Importer loads a dataset.
type Importer interface {
	// Import calls fill with a batch, all in one transaction: when fill returns an error,
	// or the process dies, nothing has changed. Afterwards the merged products are
	// published as a new revision when they differ from the one in force, and the heads
	// of the touched customers are written. Rows that are there already change nothing.
	// The batch is a Previewer too: a fill that finds what it would publish unusable
	// returns an error, and the revision in force stays.
	Import(ctx context.Context, at fund.Instant, fill func(Batch) error) (ImportResult, error)
}

// ImportResult says what an import changed.
type ImportResult struct {
	Revision  Revision // zero when no product was ever published
	Published bool     // a new revision was published
	Changed   int64    // rows that were new or different
	// Quarantined counts the facts about customers that came too early (Quarantine).
	Quarantined int64
}

// Batch takes rows while an import runs. Slices may be reused by the caller after each
// call. Keys are unique within one import; the dataset reader sees to it. A row that the
// Check of its type refuses is ErrInvalid. The batches of the stores also tell what they
// have so far: HasProduct(code) (bool, error) of the pool merged with this import, and
// HasCustomer(id) (bool, error) of customers in the store or with cells in this import.
type Batch interface {
	// Products merges products into the pool by code.
	Products(rows []fund.Product) error
	// NAVs adds a product's NAVs; another value of a day that is there corrects it.
	NAVs(productCode string, rows []fund.NAV) error
	// Calendar adds trading days; another answer for a day that is there corrects it.
	Calendar(rows []CalendarDay) error
	// Cells adds facts about customers as MergeImported says: of equal times the later
	// import wins. Give all cells of one customer, name and times in one call.
	Cells(rows []Cell) error
	// Purchases adds interactions; another amount of one that is there corrects it.
	Purchases(rows []CustomerPurchase) error
	// Events adds events by id; another content replaces the one that is there, of
	// whomever it was: the profiles of both are folded again. What Event.Repeats calls the
	// same is none: a file without known times does not take those that are stored.
	Events(rows []Event) error
	// Managers adds managers by id; another content replaces the one that is there.
	Managers(rows []Manager) error
	// Branches adds branches by id; another content replaces the one that is there.
	Branches(rows []Branch) error
}

// Previewer is what the batches of the stores are besides: they show what the import
// would publish, so that a bad revision is refused before anybody sees it.
type Previewer interface {
	// Preview returns pool and market data as they would stand were fill to return nil
	// now, read within the import's transaction: Published names the revision that would
	// be in force and its sequence number, which Pool and the cuts take. It keeps the
	// promises of Pools until the batch takes another row or fill returns, and must not
	// be used afterwards, nor by several goroutines at once. Errors are those of Pools.
	Preview() (Pools, error)
}

// CalendarDay says whether orders are dealt on a day.
type CalendarDay struct {
	Date fund.Date
	Open bool
}

// CustomerPurchase is one interaction and whose it is.
type CustomerPurchase struct {
	CustomerID string
	fund.Purchase
}

// Event is one thing that a customer did or that happened to him.
type Event struct {
	ID, CustomerID, Kind string
	EventAt              fund.Instant
	KnownAt              fund.Instant // 0: unknown
	ProductCode          string
	DecisionID           string
	Channel              string
	Attributes           string // a JSON object, as it came
}

// Manager is a relationship manager.
type Manager struct {
	ID, BranchID, LicenceID string
	LicenceUntil            fund.Date
}

// Branch is a place of business.
type Branch struct{ ID, Name, Region, ParentID string }
