package features

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The limits of what a store keeps, besides those of package fund. They catch damage
// and abuse: real values are far smaller.
const (
	MaxNameLength     = 512       // bytes of a cell's name
	MaxJSONLength     = 4_096     // bytes of a value that is one JSON object
	MaxSnapshotLength = 4 << 20   // bytes of a whole batch of lots
	MaxArtifactLength = 256 << 20 // bytes of a model or a rule pack
	MaxCellsPerWrite  = 20_000
	// MaxSourceSeq is the highest SourceSeq of a cell as it comes into Import.
	MaxSourceSeq = 1<<16 - 1
)

// Check reports whether a store may keep the cell: its identifiers, lengths, times and
// a value that its view can read. A value is checked when it comes, even when a newer
// one hides it, because a read as of the past will meet it. The error wraps ErrInvalid.
func (c *Cell) Check() error {
	if err := fund.CheckID(c.CustomerID); err != nil {
		return fmt.Errorf("%w: customer: %w", ErrInvalid, err)
	}
	if err := checkText("name", c.Name, 1, MaxNameLength); err != nil {
		return c.invalid(err)
	}
	if !c.View.BuiltIn() {
		for _, id := range [...]string{string(c.View), c.Name} {
			if err := fund.CheckID(id); err != nil {
				return c.invalid(err)
			}
		}
	}
	if err := c.checkValue(); err != nil {
		return c.invalid(err)
	}
	for _, t := range [...]struct{ what, text string }{{"source", c.Source}, {"purpose", c.Purpose}} {
		if err := checkText(t.what, t.text, 0, fund.MaxTextLength*utf8.UTFMax); err != nil {
			return c.invalid(err)
		}
	}
	if c.EventAt < 0 || c.KnownAt < 0 || c.ValidTo < 0 || c.EventAt == fund.Forever || c.KnownAt == fund.Forever {
		return c.invalid(fmt.Errorf("event time %d, known time %d, end of validity %d: expected instants after 1970", c.EventAt, c.KnownAt, c.ValidTo))
	}
	if c.ValidTo != 0 && c.ValidTo <= c.EventAt {
		return c.invalid(fmt.Errorf("valid to %s, expected a time after the event time %s", c.ValidTo, c.EventAt))
	}
	return c.checkFolds()
}

func (c *Cell) checkValue() error {
	switch c.View {
	case HoldingsView:
		return checkText("value", c.Value, 0, MaxSnapshotLength)
	case LotView, AssessmentView:
		return checkText("value", c.Value, 0, MaxJSONLength)
	default:
	}
	if !c.View.BuiltIn() {
		return checkText("value", c.Value, 0, MaxJSONLength)
	}
	if err := checkText("value", c.Value, 0, fund.MaxTextLength*utf8.UTFMax); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(c.Value); n > fund.MaxTextLength {
		return fmt.Errorf("value of %d characters, expected at most %d", n, fund.MaxTextLength)
	}
	return nil
}

// checkFolds lets the view read the value on its own.
func (c *Cell) checkFolds() error {
	if plainView(c.View) {
		return nil
	}
	if c.View == PersonView { // most cells of an import: no profile has to be made for them
		var p fund.Person
		if c.Tombstone {
			return nil
		}
		if err := setPerson(&p, c.Name, c.Value); err != nil {
			return c.invalid(err)
		}
		return nil
	}
	f := folding{profile: &fund.Profile{}}
	if err := f.add(c); err != nil {
		return c.invalid(err)
	}
	return nil
}

// plainView reports whether every text is a value of the view.
func plainView(v View) bool { return v == TagView || v == AttributeView }

func (c *Cell) invalid(err error) error {
	return fmt.Errorf("%w: customer %s, cell %s/%.80q: %w", ErrInvalid, c.CustomerID, c.View, c.Name, err)
}

// checkText accepts UTF-8 without NUL, which PostgreSQL cannot keep.
func checkText(what, s string, least, most int) error {
	switch {
	case len(s) < least || len(s) > most:
		return fmt.Errorf("%s of %d bytes, expected %d to %d", what, len(s), least, most)
	case !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("%s %.80q, expected UTF-8 text without NUL", what, s)
	}
	return nil
}

// CheckProfile reports whether a folded profile stays within the limits that its head
// row is read back with. The error wraps ErrInvalid.
func CheckProfile(p *fund.Profile) error {
	for _, l := range [...]struct {
		what         string
		length, most int
	}{
		{"tags", len(p.Tags), fund.MaxTags},
		{"attributes", len(p.Attributes), fund.MaxAttributes},
		{"lots", len(p.Lots), fund.MaxLots},
		{"purchases", len(p.Purchases), fund.MaxPurchases},
		{"consents", len(p.Consents), fund.MaxConsents},
		{"features", len(p.Features), fund.MaxFeatures},
	} {
		if l.length > l.most {
			return fmt.Errorf("%w: customer %s has %d %s, expected at most %d", ErrInvalid, p.CustomerID, l.length, l.what, l.most)
		}
	}
	return nil
}

// Check reports whether a store may keep the purchase. The error wraps ErrInvalid.
func (p *CustomerPurchase) Check() error {
	if err := checkIDs(p.CustomerID, p.ProductCode, p.Kind); err != nil {
		return fmt.Errorf("%w: interaction: %w", ErrInvalid, err)
	}
	if p.KnownOn == 0 || p.Amount < 0 || p.Amount > fund.MaxMoney {
		return fmt.Errorf("%w: interaction of customer %s with %s: known on %q, amount %d fen, expected a day and 0 to %d",
			ErrInvalid, p.CustomerID, p.ProductCode, p.KnownOn, p.Amount, fund.MaxMoney)
	}
	return nil
}

// CheckProduct reports whether a store may keep the product: whether its canonical
// bytes are read back. The error wraps ErrInvalid.
func CheckProduct(p *fund.Product) error {
	if err := fund.CheckID(p.Code); err != nil {
		return fmt.Errorf("%w: product: %w", ErrInvalid, err)
	}
	if _, err := fund.ParseProduct(fund.AppendProduct(nil, p)); err != nil {
		return fmt.Errorf("%w: product %s: %w", ErrInvalid, p.Code, err)
	}
	return nil
}

// CheckNAV reports whether a store may keep a product's NAV. The error wraps ErrInvalid.
func CheckNAV(productCode string, n fund.NAV) error {
	if err := fund.CheckID(productCode); err != nil {
		return fmt.Errorf("%w: NAV: %w", ErrInvalid, err)
	}
	good := func(x float64) bool { return x > 0 && !math.IsInf(x, 0) } // NaN is not above 0
	if n.Date == 0 || !good(n.Unit) || !good(n.Accum) {
		return fmt.Errorf("%w: NAV of %s on %q: %v, %v, expected a day and positive numbers", ErrInvalid, productCode, n.Date, n.Unit, n.Accum)
	}
	return nil
}

// Check reports whether a store may keep the day. The error wraps ErrInvalid.
func (d CalendarDay) Check() error {
	if d.Date == 0 {
		return fmt.Errorf("%w: a day of the calendar without a date", ErrInvalid)
	}
	return nil
}

// Check reports whether a store may keep the event. The error wraps ErrInvalid.
func (e *Event) Check() error {
	if err := checkIDs(e.ID, e.CustomerID, e.Kind); err != nil {
		return fmt.Errorf("%w: event: %w", ErrInvalid, err)
	}
	for _, t := range [...]struct {
		what, text string
		most       int
	}{
		{"product code", e.ProductCode, fund.MaxIDLength},
		{"decision id", e.DecisionID, fund.MaxTextLength},
		{"channel", e.Channel, fund.MaxTextLength},
		{"attributes", e.Attributes, MaxSnapshotLength},
	} {
		if err := checkText(t.what, t.text, 0, t.most); err != nil {
			return fmt.Errorf("%w: event %s: %w", ErrInvalid, e.ID, err)
		}
	}
	if e.EventAt <= 0 || e.KnownAt < 0 {
		return fmt.Errorf("%w: event %s: event time %q, expected an instant after 1970", ErrInvalid, e.ID, e.EventAt)
	}
	return nil
}

// Check reports whether a store may keep the manager. The error wraps ErrInvalid.
func (m *Manager) Check() error {
	if err := checkIDs(m.ID, m.BranchID); err != nil {
		return fmt.Errorf("%w: manager: %w", ErrInvalid, err)
	}
	if err := checkText("licence", m.LicenceID, 0, fund.MaxTextLength); err != nil {
		return fmt.Errorf("%w: manager %s: %w", ErrInvalid, m.ID, err)
	}
	return nil
}

// Check reports whether a store may keep the branch. The error wraps ErrInvalid.
func (b *Branch) Check() error {
	if err := fund.CheckID(b.ID); err != nil {
		return fmt.Errorf("%w: branch: %w", ErrInvalid, err)
	}
	for _, text := range [...]string{b.Name, b.Region, b.ParentID} {
		if err := checkText("text", text, 0, fund.MaxTextLength*utf8.UTFMax); err != nil {
			return fmt.Errorf("%w: branch %s: %w", ErrInvalid, b.ID, err)
		}
	}
	return nil
}

func checkIDs(ids ...string) error {
	for _, id := range ids {
		if err := fund.CheckID(id); err != nil {
			return err
		}
	}
	return nil
}

// CheckImported reports whether Import may take the cell. The error wraps ErrInvalid.
func (c *Cell) CheckImported() error {
	if c.SourceSeq > MaxSourceSeq {
		return c.invalid(fmt.Errorf("source sequence %d, expected at most %d", c.SourceSeq, MaxSourceSeq))
	}
	return c.Check()
}

// Check reports whether the write can be understood at all. The error wraps ErrInvalid.
func (w *Write) Check() error {
	if err := fund.CheckID(w.CustomerID); err != nil {
		return fmt.Errorf("%w: customer: %w", ErrInvalid, err)
	}
	if len(w.Cells) > MaxCellsPerWrite {
		return fmt.Errorf("%w: customer %s: %d cells in one write, expected at most %d", ErrInvalid, w.CustomerID, len(w.Cells), MaxCellsPerWrite)
	}
	if w.RecordedAt <= 0 {
		return fmt.Errorf("%w: customer %s: a write without the time of its recording", ErrInvalid, w.CustomerID)
	}
	if err := w.Idempotency.check(); err != nil {
		return fmt.Errorf("%w: customer %s: %w", ErrInvalid, w.CustomerID, err)
	}
	for i := range w.Cells {
		if err := w.Cells[i].Check(); err != nil {
			return err
		}
		if w.Cells[i].CustomerID != w.CustomerID {
			return fmt.Errorf("%w: a cell of customer %s in a write to customer %s", ErrInvalid, w.Cells[i].CustomerID, w.CustomerID)
		}
	}
	return nil
}

func (i *Idempotency) check() error {
	for _, s := range [...]string{i.Scope, i.Key} {
		if err := checkText("idempotency key", s, 0, MaxNameLength); err != nil {
			return err
		}
	}
	return nil
}

// CheckArtifact reports whether a store may keep the bytes. The error wraps ErrInvalid.
func CheckArtifact(kind ArtifactKind, data []byte) error {
	if err := checkKind(kind); err != nil {
		return err
	}
	if len(data) == 0 || len(data) > MaxArtifactLength {
		return fmt.Errorf("%w: artifact of %d bytes, expected 1 to %d", ErrInvalid, len(data), MaxArtifactLength)
	}
	return nil
}
