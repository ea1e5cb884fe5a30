package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// exportRow is one row of an export. Its fields are the columns of all three formats, in
// this order and under these names; evaluation jobs read them.
type exportRow struct {
	recordColumns
	answerColumns
	revisionColumns
	itemColumns
	askedColumns
	chanceColumns
}

// recordColumns are there of every record.
type recordColumns struct {
	DecisionID string `json:"decision_id" parquet:"decision_id"`
	CustomerID string `json:"customer_id" parquet:"customer_id"`
	DecidedAt  string `json:"decided_at" parquet:"decided_at"`
	RecordedAt string `json:"recorded_at" parquet:"recorded_at"`
	Status     string `json:"status" parquet:"status,dict"` // PRESENT or ERASED
	Kind       string `json:"kind" parquet:"kind,dict"`
	Place      string `json:"place" parquet:"place"`           // writer/segment/record in the log
	Commitment string `json:"commitment" parquet:"commitment"` // hex, in the hash chain
}

// answerColumns are the same for all items of a decision.
type answerColumns struct {
	Channel      string `json:"channel" parquet:"channel,dict"`
	Audience     string `json:"audience" parquet:"audience,dict"`
	Limit        int32  `json:"limit" parquet:"limit"`
	Personalized bool   `json:"personalized" parquet:"personalized"`
	Information  bool   `json:"information" parquet:"information"` // for reading only: no order is possible
	ValidUntil   string `json:"valid_until" parquet:"valid_until"`
	Goal         string `json:"goal" parquet:"goal,dict"`
	Excluded     string `json:"excluded" parquet:"excluded,dict"` // rule:count, separated by blanks
	Notices      string `json:"notices" parquet:"notices,dict"`   // codes, separated by blanks
}

// revisionColumns say what the answer was computed from.
type revisionColumns struct {
	Pool     uint64 `json:"pool" parquet:"pool"`
	DataSeq  uint64 `json:"data_seq" parquet:"data_seq"`
	CoreAsOf string `json:"core_as_of" parquet:"core_as_of,dict"`
	Model    string `json:"model" parquet:"model,dict"`
	Rules    string `json:"rules" parquet:"rules,dict"`
	Wording  string `json:"wording" parquet:"wording,dict"`
	Engine   string `json:"engine" parquet:"engine,dict"`
}

// itemColumns are one product of the list.
type itemColumns struct {
	Position    int32   `json:"position" parquet:"position"` // from 1; 0: no item
	ProductCode string  `json:"product_code" parquet:"product_code,dict"`
	Score       float64 `json:"score" parquet:"score"`
	Propensity  float64 `json:"propensity" parquet:"propensity"`
	PeerCode    string  `json:"peer_code" parquet:"peer_code,dict"`
	Objections  string  `json:"objections" parquet:"objections,dict"` // codes, separated by blanks
	Action      string  `json:"action" parquet:"action,dict"`
	AmountFen   int64   `json:"amount_fen" parquet:"amount_fen"` // suggested; 0: none
}

// askedColumns are those of the other answers. An order check or a switch has one row, at
// position 0 because nothing was shown, with product and amount asked about.
type askedColumns struct {
	Answer     string `json:"answer" parquet:"answer,dict"`         // RECOMMENDATION, ORDER_CHECK or SWITCH_ASSESSMENT
	Verdict    string `json:"verdict" parquet:"verdict,dict"`       // ALLOW, CONFIRM or BLOCK
	Initiative string `json:"initiative" parquet:"initiative,dict"` // FIRM or CUSTOMER
	SellCode   string `json:"sell_product_code" parquet:"sell_product_code,dict"`
}

// chanceColumns say what was left to chance, and under which arms the answer was made: what
// an evaluation of another policy needs beside the propensity.
type chanceColumns struct {
	Arms     string `json:"arms" parquet:"arms,dict"`                               // layer:experiment:arm, separated by blanks
	Explored bool   `json:"explored" parquet:"explored"`                            // it stands here by chance
	Choices  string `json:"choices" parquet:"choices,dict"`                         // code:propensity of all that could stand here; empty where nothing else could
	Greedy   string `json:"greedy_product_code" parquet:"greedy_product_code,dict"` // what stands here without exploration
}

// exportTable takes rows in one format.
type exportTable struct {
	write func([]exportRow) error
	end   func() error
}

// exportTables are the formats of an export.
func exportTables() map[string]func(io.Writer) (exportTable, error) {
	return map[string]func(io.Writer) (exportTable, error){
		"csv": csvTable, "ndjson": ndjsonTable, "parquet": parquetTable,
	}
}

// exportAll writes every record and returns the number of rows.
func exportAll(t exportTable, records func(func(decisionlog.Stored, error) bool), bar *progress) (int, error) {
	written, done := 0, int64(0)
	var rows []exportRow
	for stored, err := range records {
		if err != nil {
			return written, err
		}
		if rows, err = appendRows(rows[:0], &stored); err != nil {
			return written, err
		}
		if err := t.write(rows); err != nil {
			return written, fmt.Errorf("write the export: %w", err)
		}
		written += len(rows)
		done++
		bar.set(done)
	}
	return written, t.end()
}

// appendRows makes the rows of one record.
func appendRows(rows []exportRow, stored *decisionlog.Stored) ([]exportRow, error) {
	row := exportRow{recordColumns: recordColumns{
		DecisionID: stored.DecisionID, Status: "PRESENT", Kind: stored.Kind.String(),
		DecidedAt: fund.Instant(stored.DecidedAt).String(), RecordedAt: fund.Instant(stored.RecordedAt).String(),
		CustomerID: stored.CustomerID, Commitment: stored.Commitment.String(),
		Place: fmt.Sprintf("%d/%d/%d", stored.Writer, stored.Segment, stored.Index),
	}}
	if stored.Erased {
		row.Status = "ERASED"
		return append(rows, row), nil
	}
	if stored.Kind != decisionlog.KindDecision {
		return append(rows, row), nil
	}
	kind := matcher.KindOf(stored.Payload)
	if row.Answer = kind.String(); kind != matcher.SlateAnswer {
		if err := row.describeAsked(kind, stored.Payload); err != nil {
			return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
		}
		return append(rows, row), nil
	}
	s, err := matcher.ParseSlate(stored.Payload)
	if err != nil {
		return nil, fmt.Errorf("decision %s: %w", stored.DecisionID, err)
	}
	row.Initiative = fund.ByFirm.String()
	row.describe(s)
	if len(s.Items) == 0 {
		return append(rows, row), nil
	}
	for i := range s.Items {
		row.Position = int32(i + 1)
		row.describeItem(&s.Items[i])
		row.describeChance(s, i+1)
		rows = append(rows, row)
	}
	return rows, nil
}

// describeChance fills in what could have stood at a rank.
func (r *exportRow) describeChance(s *matcher.Slate, rank int) {
	r.Explored, r.Choices, r.Greedy = false, "", r.ProductCode
	x := &s.Explored
	if x.Rank != rank {
		return
	}
	choices := make([]string, len(x.Choices))
	for i := range x.Choices {
		choices[i] = x.Choices[i].Code + ":" + strconv.FormatFloat(x.Choices[i].Propensity, 'g', -1, 64)
	}
	r.Explored, r.Choices, r.Greedy = x.Drawn > 0, strings.Join(choices, " "), x.Choices[0].Code
}

// describeAsked fills in what an order check or an assessment of a switch says.
func (r *exportRow) describeAsked(kind matcher.AnswerKind, payload []byte) error {
	if kind == matcher.OrderAnswer {
		o, err := matcher.ParseOrderCheck(payload)
		if err != nil {
			return err
		}
		r.describeRevisions(&o.Identity)
		r.Channel, r.ProductCode, r.AmountFen = o.Request.Channel.String(), o.Request.ProductCode, int64(o.Request.Amount)
		r.Verdict, r.Initiative = o.Verdict.String(), o.Origin.Initiative.String()
		return nil
	}
	s, err := matcher.ParseSwitchAssessment(payload)
	if err != nil {
		return err
	}
	r.describeRevisions(&s.Identity)
	r.Channel, r.ProductCode, r.AmountFen, r.SellCode = s.Request.Channel.String(), s.Request.BuyCode, int64(s.Assessment.Amount), s.Request.SellCode
	r.Verdict, r.Initiative = s.Verdict.String(), s.Origin.Initiative.String()
	return nil
}

func (r *exportRow) describeRevisions(id *matcher.Identity) {
	r.Pool, r.DataSeq, r.CoreAsOf = id.PoolRevision, id.DataSeq, id.AsOf.String()
	r.Model, r.Rules, r.Wording, r.Engine = id.ModelID, id.RulesID, id.WordingID, id.Engine
}

// describe fills in what all items of a decision have in common.
func (r *exportRow) describe(s *matcher.Slate) {
	r.Channel, r.Audience, r.Limit = s.Request.Channel.String(), s.Request.Audience.String(), int32(s.Request.Limit)
	r.Personalized, r.Information, r.ValidUntil = s.Personal, s.Information, validUntil(s.ValidUntil)
	r.describeRevisions(&s.Identity)
	r.Goal = s.Wish.Goal.String()
	excluded := make([]string, len(s.Excluded))
	for i, x := range s.Excluded {
		excluded[i] = string(x.ID) + ":" + strconv.Itoa(x.Count)
	}
	notices := make([]string, len(s.Notices))
	for i := range s.Notices {
		notices[i] = s.Notices[i].Code
	}
	r.Excluded, r.Notices = strings.Join(excluded, " "), strings.Join(notices, " ")
	arms := make([]string, len(s.Request.Exposures))
	for i := range s.Request.Exposures {
		x := &s.Request.Exposures[i]
		arms[i] = x.Layer + ":" + x.Experiment + ":" + x.Arm
	}
	r.Arms = strings.Join(arms, " ")
}

// validUntil leaves an answer that the clock never changes without an end.
func validUntil(at fund.Instant) string {
	if at == fund.Forever {
		return ""
	}
	return at.String()
}

func (r *exportRow) describeItem(it *matcher.Item) {
	r.ProductCode, r.Score, r.Propensity, r.PeerCode = it.Code, it.Score, it.Propensity, it.PeerCode
	objections := make([]string, len(it.Objections))
	for i := range it.Objections {
		objections[i] = it.Objections[i].Code.String()
	}
	r.Objections = strings.Join(objections, " ")
	r.Action, r.AmountFen = it.Conversion.Action.String(), int64(it.Conversion.Quote.Suggested)
}

func csvTable(w io.Writer) (exportTable, error) {
	out := csv.NewWriter(w)
	columns := csvColumns()
	fields := make([]string, len(columns))
	for i, c := range columns {
		fields[i] = c.Tag.Get("json")
	}
	return exportTable{
		write: func(rows []exportRow) error {
			for i := range rows {
				v := reflect.ValueOf(&rows[i]).Elem()
				for j, c := range columns {
					fields[j] = csvField(v.FieldByIndex(c.Index))
				}
				if err := out.Write(fields); err != nil {
					return err
				}
			}
			return nil
		},
		end: func() error {
			out.Flush()
			return out.Error()
		},
	}, out.Write(fields)
}

// csvColumns lists the fields of a row, those of its embedded parts in their place.
func csvColumns() []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(reflect.TypeFor[exportRow]()), func(f reflect.StructField) bool { return f.Anonymous })
}

// csvField writes a value so that reading it gives the same value.
func csvField(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	default:
		return fmt.Sprint(v.Interface())
	}
}

func ndjsonTable(w io.Writer) (exportTable, error) {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return exportTable{
		write: func(rows []exportRow) error {
			for i := range rows {
				if err := out.Encode(&rows[i]); err != nil {
					return err
				}
			}
			return nil
		},
		end: func() error { return nil },
	}, nil
}

// rowGroup bounds the rows that a Parquet writer keeps in memory.
const rowGroup = 100_000

func parquetTable(w io.Writer) (exportTable, error) {
	out := parquet.NewGenericWriter[exportRow](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowGroup))
	return exportTable{
		write: func(rows []exportRow) error {
			_, err := out.Write(rows)
			return err
		},
		end: out.Close,
	}, nil
}
