package evaluation

import (
	"encoding/hex"
	"encoding/json"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// RunSchema names the form of a RunDocument.
const RunSchema = "fundmatch.evaluation-run/v1"

// RunDocument says how a document came to be: names of files, times, workers. It stands beside the document, whose bytes
// must not depend on any of this, and is not compared.
type RunDocument struct {
	Schema        string          `json:"schema"`
	Version       string          `json:"version"` // of the program
	Workers       int             `json:"workers"`
	Shard         *Shard          `json:"shard"`  // null: the whole log
	Shards        int             `json:"shards"` // that were merged; 0: none
	Seconds       float64         `json:"seconds"`
	RowsPerSecond float64         `json:"rows_per_second"`
	Rows          int64           `json:"rows"`
	Files         []RunFile       `json:"files"`
	Skipped       int64           `json:"skipped"`
	SkippedRows   []policylog.Bad `json:"skipped_rows"` // the first of each block, MaxBad at most
}

// RunFile is a file that was read.
type RunFile struct {
	Name    string `json:"name"`
	Bytes   *int64 `json:"bytes"` // as it lies there; null: unknown
	Rows    int64  `json:"rows"`
	Skipped int64  `json:"skipped"`
	SHA256  string `json:"sha256"` // of its rows in canonical form
}

// RunDocumentOf says of what files an outcome or a partial is. Who ran it fills in the rest.
func RunDocumentOf(version string, t *Tally, files []FileResult) *RunDocument {
	d := &RunDocument{
		Schema: RunSchema, Version: version, Rows: t.Rows, Skipped: t.Skipped,
		Files: []RunFile{}, SkippedRows: append([]policylog.Bad{}, t.Bad...),
	}
	for i := range files {
		f := &files[i]
		r := RunFile{Name: f.Name, Rows: f.Rows, Skipped: f.Skipped, SHA256: hex.EncodeToString(f.SHA256[:])}
		if f.Size >= 0 {
			r.Bytes = &f.Size
		}
		d.Files = append(d.Files, r)
	}
	return d
}

// IsRunDocument tells the document from a partial result beside which it stands.
func IsRunDocument(data []byte) bool {
	var d struct {
		Schema string `json:"schema"`
	}
	return json.Unmarshal(data, &d) == nil && d.Schema == RunSchema
}

// Took fills in how long it took.
func (d *RunDocument) Took(seconds float64) {
	if d.Seconds = seconds; seconds > 0 {
		d.RowsPerSecond = float64(d.Rows) / seconds
	}
}

// Encode writes the document.
func (d *RunDocument) Encode() ([]byte, error) { return encodeDocument(d) }
