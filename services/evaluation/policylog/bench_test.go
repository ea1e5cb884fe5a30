package policylog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// benchRow is a row of a benchmark's log.
type benchRow struct {
	id                         string
	decision, position, code   int
	reward, propensity, target float64
}

// sample writes a log of so many rows: decisions of ten rows, uuids, probabilities of all their digits.
func sample(rows int, row func([]byte, benchRow) []byte) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var out []byte
	id := ""
	for i := range rows {
		if i%10 == 0 {
			id = fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", r.Uint32(), r.Uint32()&0xffff, r.Uint32()&0xfff, r.Uint32()&0xfff, r.Uint64()&0xffffffffffff)
		}
		reward := 0.0
		if r.IntN(20) == 0 {
			reward = 1
		}
		out = row(out, benchRow{id, i / 10, i%10 + 1, 100000 + r.IntN(300), reward, r.Float64()*.9 + .01, r.Float64()})
	}
	return out
}

func csvRow(b []byte, r benchRow) []byte {
	at := time.Unix(1_790_000_000+int64(r.decision), 0).UTC()
	b = append(b, r.id...)
	b = append(b, ",C"...)
	b = strconv.AppendInt(b, int64(1_000_000+r.decision%99_991), 10)
	b = append(b, ',')
	b = at.AppendFormat(b, time.RFC3339)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.position), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(r.code), 10)
	b = append(b, ',')
	b = strconv.AppendFloat(b, r.reward, 'g', -1, 64)
	b = append(b, ',')
	b = strconv.AppendFloat(b, r.propensity, 'g', -1, 64)
	b = append(b, ',')
	b = strconv.AppendFloat(b, r.target, 'g', -1, 64)
	return append(b, '\n')
}

func ndjsonRow(b []byte, r benchRow) []byte {
	at := time.Unix(1_790_000_000+int64(r.decision), 0).UTC()
	b = append(b, `{"decision_id":"`...)
	b = append(b, r.id...)
	b = append(b, `","customer_id":"C`...)
	b = strconv.AppendInt(b, int64(1_000_000+r.decision%99_991), 10)
	b = append(b, `","decided_at":"`...)
	b = at.AppendFormat(b, time.RFC3339)
	b = append(b, `","position":`...)
	b = strconv.AppendInt(b, int64(r.position), 10)
	b = append(b, `,"product_code":"`...)
	b = strconv.AppendInt(b, int64(r.code), 10)
	b = append(b, `","reward":`...)
	b = strconv.AppendFloat(b, r.reward, 'g', -1, 64)
	b = append(b, `,"propensity":`...)
	b = strconv.AppendFloat(b, r.propensity, 'f', -1, 64)
	b = append(b, `,"target_propensity":`...)
	b = strconv.AppendFloat(b, r.target, 'f', -1, 64)
	return append(b, "}\n"...)
}

const csvHeader = "decision_id,customer_id,decided_at,position,product_code,reward,propensity,target_propensity\n"

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead reads a log of a million rows; cpu-ns/row is what counts.
func BenchmarkRead(b *testing.B) {
	const rows = 1_000_000
	quoted := func(out []byte, r benchRow) []byte {
		row := csvRow(nil, r)
		row = bytes.ReplaceAll(bytes.TrimSuffix(row, []byte("\n")), []byte(","), []byte(`","`))
		return append(append(append(out, '"'), row...), "\"\n"...)
	}
	for _, c := range []struct {
		name string
		head string
		row  func([]byte, benchRow) []byte
	}{
		{"a.csv", csvHeader, csvRow},
		{"quoted.csv", csvHeader, quoted},
		{"a.ndjson", "", ndjsonRow},
	} {
		b.Run(c.name, func(b *testing.B) {
			name := filepath.Join(b.TempDir(), c.name)
			text := append([]byte(c.head), sample(rows, c.row)...)
			if err := os.WriteFile(name, text, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			b.ResetTimer()
			var block Block
			before := cpu()
			for b.Loop() {
				l, err := Open([]string{name}, Options{Target: true})
				if err != nil {
					b.Fatal(err)
				}
				cursor, err := l.File(0, Position{})
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for err = cursor.Next(&block); err == nil; err = cursor.Next(&block) {
					n += block.Rows()
				}
				if !errors.Is(err, io.EOF) || n != rows {
					b.Fatal(n, err)
				}
				if err := cursor.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N)/rows, "cpu-ns/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}
