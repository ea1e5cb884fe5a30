package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// readsOfATurn is how many reads one path has before the next has as many: the paths share
// whatever else the machine does.
const readsOfATurn = 50

// lap is one of the paths that are measured side by side.
type lap struct {
	name string
	read func(i int) error
	took time.Duration
}

// BenchmarkHeadFloor reads heads through the store, and beside that asks the same server for
// the same row, and for nothing, with the bare driver: what the server and the way to it cost
// cannot be saved here.
func BenchmarkHeadFloor(b *testing.B) {
	ids := bankIDs(typicalCustomers)
	dsn := pgtest.Server(b, pgtest.Config{Durable: true}).Database(b)
	s := openPostgres(b, dsn)
	if _, err := s.Import(b.Context(), importedAt, fillTypical(ids)); err != nil {
		b.Fatal(err)
	}
	now := fund.Date(20260101).Start()
	laps := []lap{
		{name: "store", read: func(i int) error { _, err := s.Profile(b.Context(), ids[i*31%len(ids)], now); return err }},
		{name: "bare-row", read: bareRead(b, dsn, `SELECT effective_from, head FROM heads WHERE customer_id = $1`, ids)},
		{name: "bare-nothing", read: bareRead(b, dsn, `SELECT 1`, nil)},
	}
	n := 0
	for b.Loop() {
		for l := range laps {
			began := time.Now()
			for i := range readsOfATurn {
				if err := laps[l].read(n + i); err != nil {
					b.Fatal(err)
				}
			}
			laps[l].took += time.Since(began)
		}
		n += readsOfATurn
	}
	for _, l := range laps {
		b.ReportMetric(float64(l.took.Nanoseconds())/1000/float64(n), l.name+"-us")
	}
}

// bareRead returns a read by a prepared statement on a connection of its own.
func bareRead(b *testing.B, dsn, text string, ids []string) func(i int) error {
	b.Helper()
	conn, err := pgconn.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	st, err := conn.Prepare(b.Context(), "bare", text, nil)
	if err != nil {
		b.Fatal(err)
	}
	return func(i int) error {
		var args [][]byte
		if ids != nil {
			args = [][]byte{[]byte(ids[i*31%len(ids)])}
		}
		return conn.ExecStatement(b.Context(), st, args, nil, []int16{1}).Read().Err
	}
}

// copyColumns are the columns of a cell that BenchmarkCopyFloor copies.
const copyColumns = `customer_id, view, name, event_at, known_at, source_seq, digest, value, valid_to, tombstone, source, purpose, seq`

// BenchmarkCopyFloor copies as many cells as BenchmarkBulk imports from one table to another
// within the server, with and without the key of cells: what the server alone takes for them,
// without anybody's encoding and without the heads and the change log.
func BenchmarkCopyFloor(b *testing.B) {
	ids := bankIDs(bulkCustomers)
	dsn := pgtest.Server(b, pgtest.Config{Durable: true}).Database(b)
	s := openPostgres(b, dsn)
	benchmarkBulk(b, s, ids)
	conn, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	file := serversFile(b, conn)
	for name, like := range map[string]string{"no index": `cells`, "with the key": `cells INCLUDING ALL`} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				benchmarkExec(b, conn, `DROP TABLE IF EXISTS bare`, `CREATE TABLE bare (LIKE `+like+`)`)
				b.StartTimer()
				benchmarkExec(b, conn, fmt.Sprintf(`COPY bare (%s) FROM '%s' BINARY`, copyColumns, file))
			}
			b.ReportMetric(float64(len(ids)*cellsOfEach)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// serversFile writes the cells of a store into a file of the server, in the order of their key.
func serversFile(b *testing.B, conn *pgx.Conn) string {
	b.Helper()
	var dir string
	if err := conn.QueryRow(b.Context(), `SELECT current_setting('data_directory')`).Scan(&dir); err != nil {
		b.Fatal(err)
	}
	file := dir + "/cells.copy"
	benchmarkExec(b, conn, fmt.Sprintf(`COPY (SELECT %[1]s FROM cells ORDER BY %[1]s) TO '%[2]s' BINARY`, copyColumns, file))
	return file
}

func benchmarkExec(b *testing.B, conn *pgx.Conn, statements ...string) {
	b.Helper()
	for _, text := range statements {
		if _, err := conn.Exec(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}
