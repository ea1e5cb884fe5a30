package decisionlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// benchRecords look like canonical decisions: 1.5 KB of codes, scores and small numbers, a profile of 800 bytes.
func benchRecords(n int) []Record {
	all := make([]Record, n)
	for i := range all {
		r := rand.New(rand.NewSource(int64(i)))
		var b []byte
		for len(b) < 1500 {
			b = fmt.Appendf(b, "%06d", r.Intn(300))
			b = binary.LittleEndian.AppendUint64(b, r.Uint64()>>12)
			b = append(b, 0, 0, byte(1+r.Intn(5)), 0, 0, 0, byte(r.Intn(40)), 0)
			b = append(b, "affinity goal horizon"[:r.Intn(21)]...)
		}
		all[i] = testRecord(i)
		all[i].CustomerID = fmt.Sprintf("CUSTOMER%06d", i)
		all[i].Payload = b[:1500]
		all[i].Profile = b[100:900]
	}
	return all
}

func BenchmarkAppend(b *testing.B) {
	all := benchRecords(4096)
	for _, c := range []struct {
		name      string
		callers   int   // a core
		customers int64 // 16: their profiles are known; 4096: mostly new ones
		cfg       Config
	}{
		{"serial", 0, 16, Config{}},
		{"serialNewProfile", 0, 4096, Config{MaxProfiles: 1024}},
		{"parallel64", 32, 16, Config{}},
		{"parallel64SyncEach", 32, 16, Config{SyncEachAnswer: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := openLog(b, b.TempDir(), c.cfg)
			before := cpuTime(b)
			b.SetBytes(int64(len(all[0].Payload)))
			b.ReportAllocs()
			ctx := context.Background()
			var serial atomic.Int64
			if c.callers == 0 {
				for b.Loop() {
					if err := l.Append(ctx, all[serial.Add(1)%c.customers]); err != nil {
						b.Fatal(err)
					}
				}
			} else {
				b.SetParallelism(c.callers)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := l.Append(ctx, all[serial.Add(1)%c.customers]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.StopTimer()
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
			if t := l.w.tail; t != nil && l.w.last == 1 {
				b.ReportMetric(float64(t.written.Load())/float64(l.w.next-1), "file-B/op")
			}
		})
	}
}

// cpuTime is the processor time of this process, user and system, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// BenchmarkFind looks for one of 50,000 decisions that were written one a block.
func BenchmarkFind(b *testing.B) {
	const n = 50_000
	dir := b.TempDir()
	l := openLog(b, dir, Config{})
	mustAppend(b, l, benchRecords(n)...)
	mustClose(b, l)
	r, err := OpenReader(dir)
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i++
		if _, err := r.Find(context.Background(), testID(i*7919%n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify walks 20,000 decisions.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	l := openLog(b, dir, Config{})
	mustAppend(b, l, benchRecords(20_000)...)
	mustClose(b, l)
	for b.Loop() {
		report, err := Verify(context.Background(), dir, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(report.Bytes)
	}
}

// BenchmarkCodec is why blocks are s2: the best ratio that costs less than the hashes.
func BenchmarkCodec(b *testing.B) {
	var raw []byte
	for _, r := range benchRecords(16) {
		raw = append(append(raw, r.Profile...), r.Payload...)
	}
	fastest, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	defer fastest.Close()
	for _, size := range []int{2300, len(raw)} {
		for _, c := range []struct {
			name   string
			encode func(dst, src []byte) []byte
		}{
			{"s2", s2.Encode},
			{"s2better", s2.EncodeBetter},
			{"zstdFastest", func(dst, src []byte) []byte { return fastest.EncodeAll(src, dst[:0]) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, size), func(b *testing.B) {
				dst := make([]byte, s2.MaxEncodedLen(size))
				b.SetBytes(int64(size))
				n := 0
				for b.Loop() {
					n = len(c.encode(dst, raw[:size]))
				}
				b.ReportMetric(float64(n)/float64(size), "ratio")
			})
		}
	}
}
