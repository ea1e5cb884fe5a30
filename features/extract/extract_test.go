package extract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/dataset"
	"github.com/fundmatch/fundmatch/features/extract"
	"github.com/fundmatch/fundmatch/features/history"
	"github.com/fundmatch/fundmatch/features/memory"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// bankViews is a catalogue with a view of the bank's own, of every type.
func bankViews(tb testing.TB) *view.Catalogue {
	tb.Helper()
	c, err := view.Extend(
		[]view.Purpose{{Name: "MODEL", Kind: view.Personalizing, Doc: "fitting models"}},
		[]view.View{{
			Definition: view.Definition{Name: "bank", Doc: "what the bank knows", Owner: "data", Version: "7"},
			Access:     view.Access{Personal: true, Purposes: []string{"MODEL"}, NeedsConsent: []string{"MODEL"}},
			Features: []view.Feature{
				{Name: "count", Type: view.Int, Doc: "a count"},
				{Name: "rate", Type: view.Decimal, Doc: "a rate"},
				{Name: "word", Type: view.String, Doc: "a word"},
				{Name: "flag", Type: view.Bool, Doc: "a flag"},
				{Name: "when", Type: view.Time, Doc: "a time"},
				{Name: "list", Type: view.List, Doc: "words"},
			},
		}},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// values are some of each type, in canonical JSON.
func values() map[string][]string {
	return map[string][]string{
		"count": {"1", "-9223372036854775808", "9223372036854775807", "null"},
		"rate":  {"0.1", "12345678901234567890.000000001", "-3"},
		"word":  {`"a"`, `""`, `"逗,号\"引\"\n"`, "null"},
		"flag":  {"true", "false"},
		"when":  {`"2026-01-02T03:04:05Z"`},
		"list":  {`[]`, `["a"]`, `["a,b","c"]`, "null"},
	}
}

const day = 86_400_000_000

// start is the first day of the random banks: 2026-01-01T00:00:00+08:00.
const start fund.Instant = 1_767_196_800_000_000

// drawBank fills a store with random cells of a few customers.
func drawBank(t *rapid.T) *memory.Store {
	store, all := memory.New(), values()
	var cells []features.Cell
	for i := range rapid.IntRange(1, 40).Draw(t, "cells") {
		name := rapid.SampledFrom([]string{"count", "rate", "word", "flag", "when", "list"}).Draw(t, "feature")
		c := features.Cell{
			CustomerID: fmt.Sprint("C", rapid.IntRange(0, 6).Draw(t, "customer")), View: "bank", Name: name,
			Value: rapid.SampledFrom(all[name]).Draw(t, "value"), SourceSeq: uint64(i),
			EventAt: start + fund.Instant(rapid.IntRange(0, 20).Draw(t, "event"))*day,
		}
		if rapid.Bool().Draw(t, "known") {
			c.KnownAt = start + fund.Instant(rapid.IntRange(0, 20).Draw(t, "known at"))*day
		}
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0, 1:
			c.Tombstone, c.Value = true, ""
		case 2:
			c.View, c.Name, c.Value, c.ValidTo = features.TagView, "a", name, c.EventAt+2*day
		case 3:
			c.View, c.Name, c.Value = features.ConsentView, "MODEL", rapid.SampledFrom([]string{"true", "false"}).Draw(t, "granted")
		case 4:
			c.View, c.Name, c.Value = features.PersonalizationView, features.EnabledName, rapid.SampledFrom([]string{"true", "false"}).Draw(t, "switch")
		case 5:
			c.View, c.Name, c.Value = features.AssessmentView, features.AssessedName, fmt.Sprintf(`{"level":"C3","on":%q}`, c.EventAt.Date())
		}
		cells = append(cells, c)
	}
	fill(t, store, cells)
	return store
}

// fill imports cells.
func fill(t interface{ Fatal(args ...any) }, store features.Importer, cells []features.Cell) {
	_, err := store.Import(context.Background(), start+1_000*day, func(b features.Batch) error { return b.Cells(cells) })
	if err != nil {
		t.Fatal(err)
	}
}

// drawLabels draws a file of labels, in no order, some twice, some of nobody.
func drawLabels(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("note,customer_id,as_of,known_at\n")
	for i := range rapid.IntRange(0, 60).Draw(t, "labels") {
		at := start + fund.Instant(rapid.IntRange(-1, 22).Draw(t, "as of"))*day
		as, known := at.String(), ""
		if rapid.Bool().Draw(t, "day") {
			as = at.Date().String()
		}
		if rapid.IntRange(0, 2).Draw(t, "knows") == 0 {
			known = (start + fund.Instant(rapid.IntRange(0, 25).Draw(t, "knows at"))*day).String()
		}
		fmt.Fprintf(&b, "\"n%d, x\",C%d,%s,%s\n", i, rapid.IntRange(0, 8).Draw(t, "of"), as, known)
	}
	return b.String()
}

func labelsOf(text string) extract.Labels {
	return extract.Labels{Name: "labels.csv", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func planOf(t interface{ Fatal(args ...any) }, c *view.Catalogue, names ...string) *view.Plan {
	plan, err := c.PlanViews(names)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// naive makes the CSV of an extract one label at a time, each from the whole history.
func naive(t *rapid.T, store *memory.Store, plan *view.Plan, text string, o extract.Options) string {
	table, err := dataset.OpenTable(strings.NewReader(text), "labels.csv")
	if err != nil {
		t.Fatal(err)
	}
	header := table.Columns()
	for _, ref := range plan.Columns() {
		header = append(header, ref.String())
		if o.Status {
			header = append(header, ref.String()+":status")
		}
	}
	out := dataset.AppendCSV(nil, header...)
	for table.Next() == nil {
		at, err := extract.ParseInstant(table.Field(2))
		if err != nil {
			t.Fatal(err)
		}
		a := features.AsKnown(at)
		switch {
		case o.Known == extract.KnownNow:
			a.Known = fund.Forever
		case o.Known != extract.KnownAt && table.Field(3) != "":
			if a.Known, err = extract.ParseInstant(table.Field(3)); err != nil {
				t.Fatal(err)
			}
		}
		var profile *fund.Profile
		err = store.Histories(context.Background(), features.HistoryQuery{CustomerIDs: []string{table.Field(1)}}, func(h *features.History) (err error) {
			profile, err = history.AsOf(h, a)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		fields := []string{table.Field(0), table.Field(1), table.Field(2), table.Field(3)}
		for _, cell := range plan.Read(profile, &view.Request{At: at, Purpose: o.Purpose, Role: o.Role}, nil) {
			field := ""
			if cell.Status == view.Present {
				field = cell.Value.String()
			}
			if fields = append(fields, field); o.Status {
				fields = append(fields, cell.Status.String())
			}
		}
		out = dataset.AppendCSV(out, fields...)
	}
	return string(out)
}

// An extract is what reading each label by itself gives, in the order of the labels, the
// same bytes for any number of workers and any memory.
func TestExtractIsTheNaiveJoin(t *testing.T) {
	t.Parallel()
	catalogue := bankViews(t)
	rapid.Check(t, func(t *rapid.T) {
		store, labels := drawBank(t), drawLabels(t)
		options := extract.Options{
			Purpose: rapid.SampledFrom([]string{"", "MODEL"}).Draw(t, "purpose"), Status: rapid.Bool().Draw(t, "status"),
			Known:   rapid.SampledFrom([]extract.Known{extract.KnownDefault, extract.KnownAt, extract.KnownNow}).Draw(t, "mode"),
			Workers: rapid.IntRange(1, 4).Draw(t, "workers"),
		}
		job := extract.Job{Store: store, Plan: planOf(t, catalogue, "bank", "tag.a", "consent.MODEL", "personalization", "assessment.level"), Catalogue: catalogue, Labels: labelsOf(labels), Format: extract.CSV, Options: options}
		var got bytes.Buffer
		sum, err := job.Run(context.Background(), &got)
		if err != nil {
			t.Fatal(err)
		}
		if want := naive(t, store, job.Plan, labels, options); got.String() != want {
			t.Fatalf("labels:\n%s\ngot:\n%s\nwant:\n%s", labels, got.String(), want)
		}
		if rows := int64(strings.Count(labels, "\n") - 1); sum.Rows != rows {
			t.Fatalf("%d rows, expected %d", sum.Rows, rows)
		}
		job.Format = extract.Parquet
		var first, second bytes.Buffer
		if _, err := job.Run(context.Background(), &first); err != nil {
			t.Fatal(err)
		}
		job.Options.Workers = 1
		if _, err := job.Run(context.Background(), &second); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("another number of workers, other bytes")
		}
	})
}

// A Parquet file has the labels as they came and typed columns with nulls, and says what it
// was made of.
func TestParquetIsTyped(t *testing.T) {
	t.Parallel()
	catalogue, store := bankViews(t), memory.New()
	var cells []features.Cell
	for name, v := range values() {
		cells = append(cells, features.Cell{CustomerID: "C1", View: "bank", Name: name, Value: v[len(v)/2], EventAt: start})
	}
	fill(t, store, cells)
	labels := "customer_id,as_of,标签\nC1,2026-01-02,好\nC2,2026-01-02,\nC1,2025-01-02,x y\n"
	job := extract.Job{
		Store: store, Plan: planOf(t, catalogue, "bank"), Catalogue: catalogue, Labels: labelsOf(labels), Format: extract.Parquet,
		Options: extract.Options{Known: extract.KnownNow, Status: true},
	}
	var out bytes.Buffer
	if _, err := job.Run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := file.Lookup("fundmatch.known"); !strings.Contains(v, "LEAKS") {
		t.Errorf("the leaking mode is not named: %q", v)
	}
	if v, _ := file.Lookup("fundmatch.views"); v != "bank=7" {
		t.Errorf("views: %q", v)
	}
	if v, ok := file.Lookup("fundmatch.store_position"); !ok || v == "" {
		t.Errorf("no position of the store")
	}
	want := `message extract {
	required binary customer_id (STRING);
	required binary as_of (STRING);
	required binary 标签 (STRING);
	optional int64 bank.count (INT(64,true));`
	if got := file.Schema().String(); !strings.HasPrefix(got, want) || !strings.Contains(got, "optional int64 bank.when (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));") {
		t.Errorf("schema: %s", got)
	}
	rows := make([]parquet.Row, 3)
	n, err := file.RowGroups()[0].Rows().ReadRows(rows)
	if n != 3 || err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%d rows, %v", n, err)
	}
	if text := fmt.Sprintf("%v", rows[0]); !strings.Contains(text, "9223372036854775807") || !strings.Contains(text, "12345678901234567890.000000001") {
		t.Errorf("first row: %s", text)
	}
	for _, row := range rows[1:] {
		for _, v := range row[3:] {
			if text := v.String(); !v.IsNull() && text != "NOT_FOUND" {
				t.Errorf("a row of nothing has %s", text)
			}
		}
	}
}

// Labels that are none are refused with file, line, column, value and what was expected.
func TestBadLabels(t *testing.T) {
	t.Parallel()
	catalogue := bankViews(t)
	for _, c := range []struct{ labels, column, want string }{
		{"", "", "labels.csv:1: the file is empty, expected a header"},
		{"customer,as_of\n", "", "labels.csv:1:customer_id: column is missing"},
		{"customer_id\nC1\n", "", "labels.csv:1:as_of: column is missing"},
		{"customer_id,as_of\nC1,2026-01-01\n,2026-01-01\n", "", `labels.csv:3:customer_id: "", expected a customer id`},
		{"customer_id,as_of\nC1,yesterday\n", "", `labels.csv:2:as_of: "yesterday", expected an RFC 3339 time`},
		{"customer_id,as_of\nC1,\n", "", `labels.csv:2:as_of: "", expected an RFC 3339 time`},
		{"customer_id,as_of\nC1,2026-02-30\n", "", `labels.csv:2:as_of: "2026-02-30"`},
		{"customer_id,as_of\nC1,2026-01-01T00:00:00\n", "", `labels.csv:2:as_of: "2026-01-01T00:00:00"`},
		{"customer_id,as_of\nC1,9999-01-01T00:00:00Z\n", "", `labels.csv:2:as_of: "9999-01-01T00:00:00Z"`},
		{"customer_id,as_of,known_at\nC1,2026-01-01,x\n", "", `labels.csv:2:known_at: "x"`},
		{"customer_id,as_of,k\nC1,2026-01-01,x\n", "k", `labels.csv:2:k: "x"`},
		{"customer_id,as_of\nC1,2026-01-01\n", "k", "labels.csv:1:k: column is missing"},
		{"customer_id,as_of\nC1,2026-01-01,more\n", "", "labels.csv:2: 3 fields, expected 2 fields as in the header"},
		{"customer_id,as_of\n\"C1,2026-01-01\n", "", "labels.csv:2: a quoted field that does not end"},
		{"customer_id,as_of,bank.count\nC1,2026-01-01,1\n", "", "labels.csv:1:bank.count: a column of the features"},
	} {
		job := extract.Job{Store: memory.New(), Plan: planOf(t, catalogue, "bank"), Catalogue: catalogue, Labels: labelsOf(c.labels), Format: extract.CSV}
		if c.column != "" {
			job.Options.Known, job.Options.KnownColumn = extract.KnownColumn, c.column
		}
		var out bytes.Buffer
		_, err := job.Run(t.Context(), &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, features.ErrInvalid) {
			t.Errorf("%q: got %v, want %s", c.labels, err, c.want)
		}
		if out.Len() > 0 {
			t.Errorf("%q: %d bytes were written", c.labels, out.Len())
		}
	}
}

// Labels that change between the two readings of them are refused.
func TestLabelsThatChange(t *testing.T) {
	t.Parallel()
	catalogue, first := bankViews(t), "customer_id,as_of\nC1,2026-01-01\n"
	for _, second := range []string{
		"customer_id,as_of\nC1,2026-01-02\n", "customer_id,as_of\n", "customer_id,as_of\nC1,2026-01-01\nC1,2026-01-01\n",
	} {
		opened := 0
		job := extract.Job{Store: memory.New(), Plan: planOf(t, catalogue, "bank"), Catalogue: catalogue, Format: extract.CSV, Labels: extract.Labels{
			Name: "labels.csv", Open: func() (io.ReadCloser, error) {
				if opened++; opened == 1 {
					return io.NopCloser(strings.NewReader(first)), nil
				}
				return io.NopCloser(strings.NewReader(second)), nil
			},
		}}
		if _, err := job.Run(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
			t.Errorf("%q: got %v", second, err)
		}
	}
}
