package joined

// SummarySchema names the form of a Summary.
const SummarySchema = "fundmatch.joined-log/v1"

// Summary says what was joined, what was not, and why.
type Summary struct {
	Schema   string         `json:"schema"`
	Since    string         `json:"since"` // "": from the beginning
	Through  string         `json:"through"`
	Window   string         `json:"window"`
	Outcome  string         `json:"outcome"`
	Reward   string         `json:"reward"`
	Records  RecordCounts   `json:"records"`
	Rows     int64          `json:"rows"`
	Censored int64          `json:"censored"` // rows without a reward
	Withheld WithheldCounts `json:"withheld"`
	Joined   EventCounts    `json:"joined"`
	Notices  []string       `json:"notices"`
	Policy   *PolicySummary `json:"policy"` // null without a policy
}

// RecordCounts say what became of the log's records.
type RecordCounts struct {
	Read      int64 `json:"read"`
	Erased    int64 `json:"erased"`
	Served    int64 `json:"served"`  // answers that were served again
	Other     int64 `json:"other"`   // order checks and switch assessments
	Outside   int64 `json:"outside"` // decided before since or after through
	Filtered  int64 `json:"filtered"`
	Empty     int64 `json:"empty"` // nothing was offered
	Decisions int64 `json:"decisions"`
	OpenEnded int64 `json:"openWindow"` // decisions whose window is not over by through
}

func (c *RecordCounts) add(o *RecordCounts) {
	c.Read += o.Read
	c.Erased += o.Erased
	c.Served += o.Served
	c.Other += o.Other
	c.Outside += o.Outside
	c.Filtered += o.Filtered
	c.Empty += o.Empty
	c.Decisions += o.Decisions
	c.OpenEnded += o.OpenEnded
}

// WithheldCounts are decisions of whose customer no behaviour was read: their rows have neither reward nor segment.
type WithheldCounts struct {
	PersonalizationOff int64 `json:"personalizationOff"` // at the decision or by through
	ConsentWithdrawn   int64 `json:"consentWithdrawn"`   // to EVALUATION
	UnknownCustomer    int64 `json:"unknownCustomer"`    // not in the store
}

func (c *WithheldCounts) add(o *WithheldCounts) {
	c.PersonalizationOff += o.PersonalizationOff
	c.ConsentWithdrawn += o.ConsentWithdrawn
	c.UnknownCustomer += o.UnknownCustomer
}

// EventCounts say by what events were joined to rows, one for each row that an event says something of.
type EventCounts struct {
	ByDecision     int64 `json:"byDecision"` // it names the decision
	ByProduct      int64 `json:"byProduct"`  // it names none: by customer and product
	OtherClass     int64 `json:"otherClass"` // of these: about another share class of the fund
	Outcomes       int64 `json:"outcomes"`   // of these: the outcome
	OutcomesNamed  int64 `json:"outcomesByDecision"`
	Instalments    int64 `json:"instalments"`    // left out: orders of a plan
	BeforeDecision int64 `json:"beforeDecision"` // left out: they name the decision, and lie before it
	AfterWindow    int64 `json:"afterWindow"`    // left out: they name the decision, and come too late
	NotListed      int64 `json:"notListed"`      // left out: they name the decision, and a product that was not in it
	NoProduct      int64 `json:"noProduct"`      // left out: they name the decision, and no product
	Unnamed        int64 `json:"unnamed"`        // left out: they name no decision, which was demanded
}

func (c *EventCounts) add(o *EventCounts) {
	c.ByDecision += o.ByDecision
	c.ByProduct += o.ByProduct
	c.OtherClass += o.OtherClass
	c.Outcomes += o.Outcomes
	c.OutcomesNamed += o.OutcomesNamed
	c.Instalments += o.Instalments
	c.BeforeDecision += o.BeforeDecision
	c.AfterWindow += o.AfterWindow
	c.NotListed += o.NotListed
	c.NoProduct += o.NoProduct
	c.Unnamed += o.Unnamed
}

// PolicySummary says how far the log can speak of the policy that is judged.
type PolicySummary struct {
	Policy string `json:"policy"`
	Model  string `json:"model"` // id of the candidate; "" for greedy
	// Unsupported counts decisions with a position at which the policy may show what could not be shown.
	Unsupported int64             `json:"unsupportedDecisions"`
	Longer      int64             `json:"longerLists"`  // decisions for which its list is longer: nothing is known of the rest
	Shorter     int64             `json:"shorterLists"` // decisions for which its list is shorter
	Positions   []PositionSupport `json:"positions"`
}

// PositionSupport is the support at one position.
type PositionSupport struct {
	Position    int32   `json:"position"`
	Decisions   int64   `json:"decisions"`
	Unsupported int64   `json:"unsupported"` // decisions with any mass without support
	Mass        float64 `json:"mass"`        // mean of that mass
}
