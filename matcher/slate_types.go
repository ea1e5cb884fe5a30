package matcher

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/conversion"
	"github.com/fundmatch/fundmatch/matcher/eligibility"
	"github.com/fundmatch/fundmatch/matcher/expectation"
	"github.com/fundmatch/fundmatch/matcher/experiment"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/objection"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/slate"
	"github.com/fundmatch/fundmatch/matcher/wording"
)

// Limits of a list.
const (
	MinLimit     = 1
	MaxLimit     = 50
	DefaultLimit = 10
)

// Request is one question to a core, on the firm's initiative.
type Request struct {
	At       fund.Instant
	Channel  fund.Channel
	Audience wording.Audience // who reads the texts; it changes nothing else
	Limit    int
	Licence  Licence // of the manager in charge; in the branch nothing is offered without a valid one (C03)
	// Exploration leaves the last place to chance; the zero value does not, and nothing is left
	// to chance in a list that is not personal or for information only. Seed is what is drawn
	// by, made from the decision's id (see SeedOf), so that a replay draws the same; without
	// exploration it is not kept.
	Exploration slate.Exploration
	Seed        uint64
	// Exposures are the arms of experiments that the customer is in. They change nothing here
	// and are sealed with the answer.
	Exposures []experiment.Assignment
}

// SeedOf makes the seed of an answer's draws from its decision id: the first eight bytes of
// its SHA-256, so that ids which differ in time alone draw independently.
func SeedOf(decisionID string) uint64 {
	sum := sha256.Sum256([]byte(decisionID))
	return binary.BigEndian.Uint64(sum[:8])
}

// Slate is one answer, whole and without reference to the core: what a decision record
// keeps. Its buffers are used again by the next Match into it; a Slate must not be
// shared while it is being filled.
type Slate struct {
	CustomerID  string
	Request     Request
	Identity    Identity
	Personal    bool // the ranking read personal cells
	Information bool // for reading only: no order is possible (S12)
	ValidUntil  fund.Instant
	Wish        expectation.Wish
	Items       []Item
	Excluded    []eligibility.RuleCount
	Notices     []Notice
	Disclosures []string // templates, in the order in which they are shown
	Brief       *Brief   // what a manager must know of the customer; nil for customers
	Holdings    []HoldingReview
	Elder       bool // shown in elder mode (A07)
	Explored    Explored

	work work
}

// Explored is the place of a list that was left to chance. The zero value: none was.
type Explored struct {
	Rank int // from 1: the last of the list
	// Choices are all products that could stand there: first the one that does without
	// exploration, then the alternatives in the list's order.
	Choices []Choice
	Drawn   int // which of Choices stands there; 0: as without exploration
}

// Choice is a product that could stand at the explored place.
type Choice struct {
	Code       string  // share class in which it is shown
	Score      float64 // of that class
	Propensity float64 // exact marginal probability that it stands there; those of all choices sum to 1
}

// Item is one product of an answer.
type Item struct {
	Code          string
	Score         float64
	Propensity    float64 // exact marginal probability that it stands at this rank; 1 where nothing is explored
	Contributions []score.Contribution
	Matched       []expectation.Match
	Objections    []objection.Objection
	Conversion    conversion.Conversion
	PeerCode      string    // existing fund beside a new issue (K03)
	Why           [2]string // templates; empty entries: fewer. Their slots are values of Matched
	Card          *Card     // what a manager needs to speak of the product; nil for customers
}

// Card is what a manager needs beside one product (talk card). Words that are the same
// for every product, and the product's own, are the presenter's to add.
type Card struct {
	Opinion                       string          // template of the matching opinion
	OpinionFacts                  []fund.Evidence // its slots
	BankGrade, IssuerGrade, Grade fund.RiskGrade
	Costs                         []CostPoint
	BreakEvenDays                 int32 // days from which the A class costs less than C; -1 none or unknown
	WorstYear                     []fund.Evidence
	Recording                     bool // the sale must be recorded (C04)
	PeerFacts                     []fund.Evidence
	DoNothing                     string // template
}

// CostPoint is what the amount costs in one share class when it is left after Days.
type CostPoint struct {
	ShareClass string
	Days       int32 // 0: at once
	Cost       fund.Cost
	OK         bool // the fees are known
}

// Brief is what a manager must know of a customer before he speaks to him.
type Brief struct {
	Standing
	Contact        conversion.Contact
	Consents       []fund.Consent
	Licence        Licence
	Delivery       string // APP or MANAGER: by which way he is reached best; empty: unknown
	DeliveryReason string // template
	Facts          []fund.Evidence
}

// Standing is what the bank knows of who the customer is.
type Standing struct {
	Level                 fund.RiskLevel
	State                 eligibility.LevelState
	AssessedOn, ExpiresOn fund.Date
	InvestorType          fund.InvestorType
	Elder, Company        bool
}

// Licence is what the bank knows of the licence of the manager in charge (C03).
type Licence struct {
	ManagerID string
	State     string // LicenceValid, ...
	Until     fund.Date
}

// The states of a licence.
const (
	LicenceValid   = "VALID"
	LicenceExpired = "EXPIRED"
	LicenceUnknown = "UNKNOWN"
	// LicenceElsewhere: the manager is known to be of another branch than the customer.
	LicenceElsewhere = "ELSEWHERE"
)

// ForGate is what the gate goes by: whatever is not known is missing.
func (l *Licence) ForGate() eligibility.Licence {
	switch l.State {
	case LicenceValid:
		return eligibility.LicenceValid
	case LicenceExpired:
		return eligibility.LicenceExpired
	case LicenceElsewhere:
		return eligibility.LicenceElsewhere
	default:
		return eligibility.LicenceMissing
	}
}

// context is the circumstance in which the gate is asked.
func (r *Request) context(by fund.Initiative) eligibility.Context {
	return eligibility.Context{At: r.At, Initiative: by, Channel: r.Channel, Licence: r.Licence.ForGate(), Order: by == fund.ByCustomer}
}

// HoldingReview is a word about something that the customer holds.
type HoldingReview struct {
	Code     string
	Action   conversion.Action // Hold or Reduce
	Sentence string            // template; its slots are fields of Evidence
	Evidence []fund.Evidence   // about the product
	Private  []fund.Evidence   // about his own result; managers only
}

// Notice tells the reader something about the whole answer.
type Notice struct {
	Code     string
	Sentence string // template
	Task     string // what resolves it; may be empty
	Evidence []fund.Evidence
}

// work are the buffers of Match.
type work struct {
	asking        asking
	conduct       fund.Conduct
	knowledge     expectation.Knowledge
	refusals      eligibility.Refusals
	complaints    int32 // that nobody closed, however old
	showings      int32 // of whatever product, lately; see readShowings
	verdicts      eligibility.Verdicts
	scores        score.Scores
	choice        slate.Buffers
	listed        []int32 // the products of the list, where its last place is explored
	choices       []Choice
	owned, held   []int32
	objected      []score.Objection
	holdings      []objection.Held
	holdingFunds  []int32      // of each of holdings
	confirmed     []int32      // places of confirmed orders on the trail
	suggestible   []bound      // of the products asked about
	themes        []fund.Money // what he has of each theme of a product
	doubt         objection.Case
	peer          objection.Peer
	cards         []Card
	costs         []CostPoint
	points        []conversion.CostPoint
	brief         Brief
	contributions []score.Contribution
	matches       []expectation.Match
	objections    []objection.Objection
	facts         []fund.Evidence
}

// reset empties the answer and keeps the buffers.
func (s *Slate) reset() {
	w := s.work
	w.cards, w.costs = w.cards[:0], w.costs[:0]
	w.contributions, w.matches, w.objections, w.facts = w.contributions[:0], w.matches[:0], w.objections[:0], w.facts[:0]
	*s = Slate{Items: s.Items[:0], Notices: s.Notices[:0], Disclosures: s.Disclosures[:0], Holdings: s.Holdings[:0], work: w}
}

// reserve makes room for the cards of so many items: items point into it.
func (w *work) reserve(items int) { w.cards = slices.Grow(w.cards[:0], items) }
