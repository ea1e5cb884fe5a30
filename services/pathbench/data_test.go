package pathbench

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// realData returns a folder of the real data beside the repository.
func realData(b *testing.B, name string) string {
	b.Helper()
	dir := filepath.Join(root, "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		b.Skipf("the real data is not beside the repository: %v", err)
	}
	return dir
}

// BenchmarkImport is `fundmatch import` of real data into a new SQLite store, process and
// all. Goals: fartrans in 3 s, cn-funds in 5 s.
func BenchmarkImport(b *testing.B) {
	program := buildProgram(b)
	for _, name := range []string{"fartrans", "cn-funds"} {
		b.Run(name, func(b *testing.B) {
			dir := realData(b, name)
			var took time.Duration
			for b.Loop() {
				took += runProgram(b, program, "import", dir, "--quiet", "--store", "sqlite:"+filepath.Join(b.TempDir(), "bank.db"))
			}
			b.ReportMetric(took.Seconds()/float64(b.N), "s/import")
		})
	}
}

// BenchmarkServeMemory is the memory of `fundmatch serve` with both real data sets in one
// store, after some hundred answers. Goal: 300 MB resident.
func BenchmarkServeMemory(b *testing.B) {
	far, cn := realData(b, "fartrans"), realData(b, "cn-funds")
	program := buildProgram(b)
	store := "sqlite:" + filepath.Join(b.TempDir(), "bank.db")
	runProgram(b, program, "import", far, "--quiet", "--store", store)
	runProgram(b, program, "import", cn, "--quiet", "--store", store)
	const local = "127.0.0.1:0"
	for b.Loop() {
		p := startProcess(b, nil, program, "serve", "--store", store, "--http", local, "--grpc", local, "--ops", local)
		for _, id := range someCustomers(b, far, 300) {
			req := p.rest + "/v1/customers/" + id + "/recommendations?limit=5"
			if _, err := fetch(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(p.memory("VmRSS"))/1e6, "MB")
		b.ReportMetric(float64(p.memory("VmHWM"))/1e6, "peak-MB")
	}
}

// someCustomers returns the first ids of a dataset.
func someCustomers(b *testing.B, dir string, n int) []string {
	b.Helper()
	file, err := os.Open(filepath.Join(dir, "customers.csv"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	var ids []string
	lines := bufio.NewScanner(file)
	for lines.Scan() && len(ids) <= n {
		id, _, _ := strings.Cut(lines.Text(), ",")
		ids = append(ids, id)
	}
	return ids[1:] // the first line names the columns
}
