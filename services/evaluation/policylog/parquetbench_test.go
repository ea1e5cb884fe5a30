package policylog

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// benchRows are rows of the eight columns: five a decision, 200,000 customers, 300 products.
func benchRows(n int) []Row {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]Row, n)
	var id, customer string
	for i := range rows {
		if i%5 == 0 {
			id = fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", r.Uint32(), r.Uint32()&0xffff, r.Uint32()&0xfff, r.Uint32()&0xfff, r.Uint64()&0xffffffffffff)
			customer = "C" + strconv.Itoa(1_000_000+r.IntN(200_000))
		}
		rows[i] = Row{
			DecisionID: id, CustomerID: customer, DecidedAt: 1_790_000_000_000_000_000 + int64(i/5)*1e9, Position: int32(i%5) + 1,
			ProductCode: strconv.Itoa(100_000 + r.IntN(300)), Propensity: r.Float64()*.9 + .01, Target: r.Float64(),
		}
		if r.IntN(20) == 0 {
			rows[i].Reward = 1
		}
	}
	return rows
}

// BenchmarkParquet reads a log of a million rows; cpu-ns/row is what counts, the canonical hash in it.
func BenchmarkParquet(b *testing.B) {
	const n = 1_000_000
	rows := benchRows(n)
	paths := map[string]string{"writer": written(b, Parquet, "log.parquet", Columns{Target: true}, rows)}
	for name, codec := range map[string]compress.Codec{"none": &parquet.Uncompressed, "snappy": &parquet.Snappy, "zstd": &parquet.Zstd} {
		paths[name] = kept(b, "log.parquet", structs(b, plainRows(rows), parquet.Compression(codec)))
	}
	for _, name := range []string{"writer", "none", "snappy", "zstd"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				readThrough(b, paths[name], n)
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N)/n, "cpu-ns/row")
		})
	}
}

// plainRow is a row as notebooks write it.
type plainRow struct {
	DecisionID string  `parquet:"decision_id"`
	CustomerID string  `parquet:"customer_id,dict"`
	DecidedAt  int64   `parquet:"decided_at,timestamp(microsecond)"`
	Position   int32   `parquet:"position"`
	Product    string  `parquet:"product_code,dict"`
	Reward     float64 `parquet:"reward"`
	Propensity float64 `parquet:"propensity"`
	Target     float64 `parquet:"target_propensity"`
}

func plainRows(rows []Row) []plainRow {
	out := make([]plainRow, len(rows))
	for i, r := range rows {
		out[i] = plainRow{r.DecisionID, r.CustomerID, r.DecidedAt / 1000, r.Position, r.ProductCode, r.Reward, r.Propensity, r.Target}
	}
	return out
}

// readThrough reads a log and counts its rows.
func readThrough(b *testing.B, path string, want int) {
	b.Helper()
	l, err := Open([]string{path}, Options{Target: true})
	if err != nil {
		b.Fatal(err)
	}
	cursor, err := l.File(0, Position{})
	if err != nil {
		b.Fatal(err)
	}
	var block Block
	n := 0
	for err = cursor.Next(&block); err == nil; err = cursor.Next(&block) {
		n += block.Rows()
	}
	if !errors.Is(err, io.EOF) || n != want {
		b.Fatal(n, err)
	}
	if err := cursor.Close(); err != nil {
		b.Fatal(err)
	}
}
