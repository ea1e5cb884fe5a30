package casefile

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// windowSpan is a bound in seconds of which null is none and 0 is refused: a window of no
// length has nothing to say.
type windowSpan struct{ span }

func (s *windowSpan) UnmarshalJSON(raw []byte) error {
	if err := s.span.UnmarshalJSON(raw); err != nil {
		return err
	}
	if string(raw) != "null" && s.length == 0 {
		return errors.New("a window of 0 seconds, expected null or more")
	}
	return nil
}

// change is one line of a series: said (1, also where no sign is given) or taken back (-1).
// One without a value, null, counts neither as a value nor as 0.
type change struct {
	Entity entity          `json:"entity"`
	Event  moment          `json:"event_ts"`
	Known  moment          `json:"known_ts"`
	Value  json.RawMessage `json:"value"`
	Sign   *int            `json:"sign"`
}

// The features that a series is kept as.
var (
	said  = key{feature: "said"}
	taken = key{feature: "taken back"}
)

// takeChanges keeps a series of changes as cells.
func (b *bank) takeChanges(changes []change) error {
	if err := b.declare("", []string{said.feature, taken.feature}, span{}, view.Access{}); err != nil {
		return err
	}
	for i := range changes {
		c := &changes[i]
		feature := said
		if c.Sign != nil && *c.Sign == -1 {
			feature = taken
		} else if c.Sign != nil && *c.Sign != 1 {
			return unsupported("changes[%d].sign %d, expected 1 or -1", i, *c.Sign)
		}
		if err := b.add(&line{of: c.Entity, feature: feature, value: c.Value, event: c.Event, known: c.Known}); err != nil {
			return err
		}
	}
	return nil
}

// series returns the lines of one customer as a store has them.
func (b *bank) series(ctx context.Context, s Store, id string) (entries []view.Entry, err error) {
	signs := map[string]int{b.refs[said].Name: 1, b.refs[taken].Name: -1}
	query := features.HistoryQuery{CustomerIDs: []string{id}, Views: []features.View{features.View(b.refs[said].View)}, NoEvents: true, NoPurchases: true}
	err = s.Histories(ctx, query, func(h *features.History) error {
		for i := range h.Cells {
			c := &h.Cells[i]
			if c.Value == "null" {
				continue
			}
			value, err := view.ParseValue(view.Decimal, c.Value)
			if err != nil {
				return err
			}
			entries = append(entries, view.Entry{At: c.EventAt, Known: c.KnownAt, Value: value, Sign: signs[c.Name]})
		}
		return nil
	})
	return entries, err
}

// windowAverage averages what lies in the window before each request and was known by then;
// nothing to average is null. The lower end is in the window unless a case says otherwise.
func windowAverage(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var params struct {
		Window    windowSpan `json:"window_seconds"`
		Bound     string     `json:"bound"`
		LowerOpen bool       `json:"lower_open"`
	}
	var input struct {
		Changes  []change  `json:"changes"`
		Requests []request `json:"requests"`
	}
	if err := firstOf(decode("params", c.Params, &params), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	closed, err := inclusive(params.Bound, false)
	if err != nil {
		return nil, err
	}
	b := newBank()
	if err := b.takeChanges(input.Changes); err != nil {
		return nil, err
	}
	window := view.Window{Length: params.Window.length, LowerClosed: !params.LowerOpen, UpperClosed: closed}
	var rows []row
	err = t.within(ctx, func(s Store, prefix string) error {
		reader, err := b.opened(ctx, s, prefix, []key{said, taken})
		if err != nil {
			return err
		}
		for i := range input.Requests {
			r := &input.Requests[i]
			if err := r.check(); err != nil {
				return err
			}
			entries, err := b.series(ctx, s, reader.id(r.Entity))
			if err != nil {
				return err
			}
			sum, err := window.Over(entries, r.AsOf.at, r.AsOf.at)
			if err != nil {
				return err
			}
			rows = append(rows, averageRow(r, &sum))
		}
		return nil
	})
	return rows, err
}

func averageRow(r *request, sum *view.Aggregate) row {
	var value any
	if sum.OK {
		value = average(sum.Average)
	}
	return row{name: show(r.RowID), fields: map[string]any{"row_id": tree(r.RowID), "value": value}}
}

// did is one event of a customer.
type did struct {
	ID label  `json:"id"`
	At moment `json:"ts"`
}

// windowCountSelf counts for each event itself and the others in the window before it. A case
// that does not leave out the current instant counts those that arrived before it at that
// instant: an event is the last of its own window.
func windowCountSelf(ctx context.Context, c *Case, t *trial) ([]row, error) {
	var params struct {
		Window         windowSpan `json:"window_seconds"`
		LowerOpen      *bool      `json:"lower_open"`
		ExcludeCurrent *bool      `json:"exclude_current_time"`
		MaxSize        *int       `json:"max_size"`
	}
	var input struct {
		Entity entity `json:"entity"`
		Events []did  `json:"events"`
	}
	if err := firstOf(decode("params", c.Params, &params), decode("input", c.Input, &input)); err != nil {
		return nil, err
	}
	most := 0
	if params.MaxSize != nil {
		if most = *params.MaxSize; most < 1 {
			return nil, unsupported("params.max_size %d, expected null or at least 1", most)
		}
	}
	window := view.Window{
		Length: params.Window.length, LowerClosed: params.LowerOpen != nil && !*params.LowerOpen,
		UpperClosed: params.ExcludeCurrent != nil && !*params.ExcludeCurrent,
	}
	var rows []row
	err := t.within(ctx, func(s Store, prefix string) error {
		ats, err := happened(ctx, s, prefix, input.Entity, input.Events)
		if err != nil {
			return err
		}
		for i, n := range window.CountSelf(ats, most) {
			id := input.Events[i].ID
			rows = append(rows, row{
				name: show(id), fields: map[string]any{"id": tree(id), "value": json.Number(strconv.Itoa(n))},
			})
		}
		return nil
	})
	return rows, err
}

// happened records the events of one customer and returns their instants, in the order of
// the case, as the store has them.
func happened(ctx context.Context, s Store, prefix string, of entity, events []did) ([]fund.Instant, error) {
	b := newBank()
	if of == "" {
		return nil, unsupported("events without their entity")
	}
	id := prefix + b.customer(of)
	kept := make([]features.Event, len(events))
	for i := range events {
		if len(events[i].ID) == 0 || !events[i].At.given {
			return nil, unsupported("events[%d] without id or ts", i)
		}
		kept[i] = features.Event{ID: prefix + strconv.Itoa(i), CustomerID: id, Kind: fund.Click.String(), EventAt: events[i].At.at}
		b.saw(events[i].At)
	}
	if err := b.meet(ctx, s, prefix); err != nil {
		return nil, err
	}
	for at := 0; at < len(kept); at += features.MaxEventBatch {
		batch := features.EventBatch{Events: kept[at:min(at+features.MaxEventBatch, len(kept))], RecordedAt: b.newest}
		if _, err := s.RecordEvents(ctx, batch); err != nil {
			return nil, err
		}
	}
	ats, found := make([]fund.Instant, len(kept)), 0
	err := s.Events(ctx, id, b.newest, func(e *features.Event) error {
		place, err := strconv.Atoi(e.ID[len(prefix):])
		if err == nil {
			ats[place] = e.EventAt
			found++
		}
		return err
	})
	if err == nil && found != len(kept) {
		err = &differsError{"the store has " + strconv.Itoa(found) + " events of " + strconv.Itoa(len(kept))}
	}
	return ats, err
}
