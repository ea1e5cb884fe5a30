package sqlstore

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// The bytes of a row, as PostgreSQL's manual has them.
func TestTheBytesOfACopy(t *testing.T) {
	var r copyRows
	r.begin(5)
	r.text("基")
	r.number(-2)
	r.day(20250102)
	r.flag(true)
	r.bytes([]byte{0, 255})
	got, err := io.ReadAll(r.stream())
	want := "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x05" +
		"\x00\x00\x00\x03\xe5\x9f\xba" + "\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xfe" + "\x00\x00\x00\x04\x01\x34\xfd\xf6" +
		"\x00\x00\x00\x01\x01" + "\x00\x00\x00\x02\x00\xff" + "\xff\xff"
	if d := cmp.Diff(want, string(got)); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// A row that is copied is the row that a statement inserts, whatever its values are: of two
// customers with the same facts, one comes by COPY, one by statements, because he was known.
func TestACopiedRowIsAnInsertedRow(t *testing.T) {
	t.Parallel()
	s := openServer(t, pgtest.Database(t))
	facts := func(id string) func(features.Batch) error {
		return func(b features.Batch) error {
			err := b.Cells([]features.Cell{
				{
					CustomerID: id, View: features.TagView, Name: "人生阶段", Value: "家庭", EventAt: 7, KnownAt: 9,
					ValidTo: fund.Date(20300101).Start(), Source: "survey", Purpose: "marketing", SourceSeq: 3,
				},
				{CustomerID: id, View: features.TagView, Name: "gone", EventAt: 5, Tombstone: true},
			})
			if err != nil {
				return err
			}
			bought := fund.Purchase{ProductCode: "P1", KnownOn: 20200101, Kind: "BUY", Amount: 1 << 40}
			if err := b.Purchases([]features.CustomerPurchase{{CustomerID: id, Purchase: bought}}); err != nil {
				return err
			}
			return b.Events([]features.Event{{
				ID: "e-" + id, CustomerID: id, Kind: "CLICK", EventAt: 5, KnownAt: 6, ProductCode: "P1", DecisionID: "d", Channel: "APP", Attributes: `{"page":"FEE"}`,
			}})
		}
	}
	importCells(t, s, tagOf("inserted", "1"))
	importCells(t, s, tagOf("copied", "1"))
	// The second is made a newcomer again.
	for _, table := range []string{"cells", "heads"} {
		if _, err := s.writer.ExecContext(t.Context(), `DELETE FROM `+table+` WHERE customer_id = 'copied'`); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"inserted", "copied"} {
		if _, err := s.Import(t.Context(), fund.Date(20250101).Start(), facts(id)); err != nil {
			t.Fatal(err)
		}
	}
	// What is above the low bits of source_seq is the number of the import.
	for _, rows := range []string{
		`SELECT view, name, event_at, known_at, source_seq % 65536, digest, value, valid_to, tombstone, source, purpose FROM cells WHERE value <> '1' AND customer_id = `,
		`SELECT product_code, known_on, kind, amount FROM interactions WHERE customer_id = `,
		`SELECT event_at, kind, known_at, product_code, decision_id, channel, attributes FROM events WHERE customer_id = `,
	} {
		var n, same int
		err := s.reader.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM (`+rows+`'copied') c), (SELECT COUNT(*) FROM (`+rows+`'copied' INTERSECT `+rows+`'inserted') b)`).Scan(&n, &same)
		if err != nil || n == 0 || same != n {
			t.Errorf("of %d copied rows %d are like the inserted ones, %v: %s", n, same, err, rows)
		}
	}
}
