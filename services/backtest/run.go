package backtest

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
)

// RunFile says what was written.
type RunFile struct {
	Rows int64 `json:"rows"`
	// SHA256 is over the lines as they are before they are packed.
	SHA256 string `json:"sha256"`
}

// writeRun writes the subject's lists: splits by number, customers by id, ranks from 1.
func (j *job) writeRun(w io.Writer, outcomes []*outcome) (RunFile, error) {
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
	_, _ = out.WriteString("split,customer_id,rank,product_code\n") // the error stays until Flush
	file := RunFile{}
	var line []byte
	for _, o := range outcomes {
		for i := range o.split.wanted {
			for at, p := range o.lists[0][i*Places : (i+1)*Places] {
				if p == none {
					break
				}
				line = strconv.AppendInt(line[:0], int64(o.split.Number), 10)
				line = append(append(append(line, ','), j.data.ids[o.split.wanted[i].customer]...), ',')
				line = append(strconv.AppendInt(line, int64(at+1), 10), ',')
				line = append(append(line, j.data.products[p].Code...), '\n')
				_, _ = out.Write(line)
				file.Rows++
			}
		}
	}
	if err := out.Flush(); err != nil {
		return file, fmt.Errorf("write the lists: %w", err)
	}
	file.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return file, nil
}
