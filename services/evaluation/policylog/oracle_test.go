package policylog

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// flat is a row as a test compares it; numbers by their bits.
type flat struct {
	ID, Customer               string
	At                         int64
	Position                   int32
	Product                    string
	Reward, Propensity, Target uint64
	Segment                    string
	Amount                     uint64
}

// flatten appends a block's rows.
func flatten(rows []flat, b *Block) []flat {
	from := int32(0)
	for d, end := range b.Ends {
		for i := from; i < end; i++ {
			f := flat{
				ID: string(b.Decisions[d].ID), Customer: string(b.Decisions[d].CustomerID), At: b.Decisions[d].At,
				Position: b.Position[i], Product: b.Codes[b.Product[i]],
				Reward: math.Float64bits(b.Reward[i]), Propensity: math.Float64bits(b.Propensity[i]),
			}
			if len(b.Target) > 0 {
				f.Target = math.Float64bits(b.Target[i])
			}
			if len(b.Texts) > 0 && b.Texts[0].There {
				f.Segment = b.Texts[0].Names[b.Texts[0].Values[i]]
			}
			if len(b.Numbers) > 0 && b.Numbers[0].There {
				f.Amount = math.Float64bits(b.Numbers[0].Values[i])
			}
			rows = append(rows, f)
		}
		from = end
	}
	return rows
}

// The oracle: the standard library's readers, regular expressions and maps, a row at a time. It shares nothing with the
// package but the names of columns.
var (
	decisionPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._:-]{0,127}$`)
	idPattern       = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)
	decimalPattern  = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	instantPattern  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
	textPattern     = regexp.MustCompile(`^[^\x00-\x1f\x7f]*$`)
)

var oracleColumns = []string{
	ColumnDecisionID, ColumnCustomerID, ColumnDecidedAt, ColumnPosition, ColumnProduct, ColumnReward, ColumnPropensity,
	ColumnTarget, ColumnSegment, ColumnAmount,
}

var errOracle = errors.New("refused by the oracle")

// oracle judges rows of text cells, nil for null; the columns are those of oracleColumns.
func oracle(cells [][]*string) ([]flat, error) {
	var rows []flat
	seen := map[int32]bool{}
	for _, c := range cells {
		f, err := oracleRow(c)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 || rows[len(rows)-1].ID != f.ID {
			clear(seen)
		} else if last := rows[len(rows)-1]; last.Customer != f.Customer || last.At != f.At || seen[f.Position] {
			return nil, errOracle
		}
		seen[f.Position] = true
		rows = append(rows, f)
	}
	return rows, nil
}

func oracleRow(c []*string) (f flat, err error) {
	text := func(i int, pattern *regexp.Regexp) string {
		if c[i] == nil || !pattern.MatchString(*c[i]) {
			err = errOracle
			return ""
		}
		return *c[i]
	}
	number := func(i int, absent bool, low, high float64) float64 {
		if c[i] == nil {
			if !absent {
				err = errOracle
			}
			return math.NaN()
		}
		v, e := strconv.ParseFloat(*c[i], 64)
		if e != nil || !decimalPattern.MatchString(*c[i]) || v < low || v > high {
			err = errOracle
		}
		if v == 0 {
			return 0
		}
		return v
	}
	f.ID, f.Customer, f.Product = text(0, decisionPattern), text(1, idPattern), text(4, idPattern)
	at, e := time.Parse(time.RFC3339Nano, text(2, instantPattern))
	if e != nil || at.UTC().Year() < 1900 || at.UTC().Year() > 2199 {
		err = errOracle
	} else {
		f.At = at.UnixNano()
	}
	position := number(3, false, 1, 1000)
	if position != math.Floor(position) {
		err = errOracle
	}
	f.Position = int32(position)
	f.Reward = math.Float64bits(number(5, true, -math.MaxFloat64, math.MaxFloat64))
	f.Propensity = math.Float64bits(number(6, false, math.SmallestNonzeroFloat64, 1))
	f.Target = math.Float64bits(number(7, false, 0, 1))
	if c[8] != nil {
		if f.Segment = text(8, textPattern); len(f.Segment) > 1024 || !utf8.ValidString(f.Segment) {
			err = errOracle
		}
	}
	f.Amount = math.Float64bits(number(9, true, -math.MaxFloat64, math.MaxFloat64))
	return f, err
}

// oracleCSV reads CSV. known is false where the text is of a kind that encoding/csv does not tell from another.
func oracleCSV(text []byte) (rows []flat, known bool, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte(byteOrderMark))))
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		return nil, true, errOracle
	}
	if strings.Contains(string(text), "\n\n") || strings.Contains(string(text), "\n\r\n") || bytes.HasPrefix(text, []byte("\n")) || bytes.HasPrefix(text, []byte("\r\n")) ||
		bytes.HasSuffix(text, []byte("\n\r")) {
		return nil, false, nil // an empty line, which encoding/csv skips
	}
	places, err := oraclePlaces(all[0])
	if err != nil {
		return nil, true, err
	}
	var cells [][]*string
	for _, record := range all[1:] {
		row := make([]*string, len(oracleColumns))
		for i, p := range places {
			if record[p] != "" {
				row[i] = &record[p]
			}
		}
		cells = append(cells, row)
	}
	rows, err = oracle(cells)
	return rows, true, err
}

func oraclePlaces(header []string) ([]int, error) {
	places := make([]int, len(oracleColumns))
	for i, name := range oracleColumns {
		if places[i] = slices.Index(header, name); places[i] < 0 {
			return nil, errOracle
		}
	}
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return nil, errOracle
		}
	}
	return places, nil
}

// oracleNDJSON reads NDJSON by encoding/json's tokens.
func oracleNDJSON(text []byte) (rows []flat, known bool, err error) {
	lines := bytes.Split(text, []byte{'\n'})
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	var cells [][]*string
	first := map[string]bool{}
	for i, line := range lines {
		if !utf8.Valid(line) || bytes.Contains(line, []byte(`\u`)) {
			return nil, false, nil // what encoding/json puts its replacement character for
		}
		row, keys, err := oracleObject(line)
		if err != nil {
			return nil, true, err
		}
		for k := range keys {
			if i == 0 {
				first[k] = true
			} else if slices.Contains(oracleColumns, k) && !first[k] {
				return nil, true, errOracle
			}
		}
		for _, k := range oracleColumns {
			if !keys[k] {
				return nil, true, errOracle
			}
		}
		cells = append(cells, row)
	}
	if len(cells) == 0 {
		return nil, true, errOracle
	}
	rows, err = oracle(cells)
	return rows, true, err
}

func oracleObject(line []byte) ([]*string, map[string]bool, error) {
	if !json.Valid(line) || len(bytes.TrimLeft(line, " \t\r")) == 0 || bytes.TrimLeft(line, " \t\r")[0] != '{' {
		return nil, nil, errOracle
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	row, keys := make([]*string, len(oracleColumns)), map[string]bool{}
	_, _ = d.Token()
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		key, _ := token.(string)
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		if keys[key] {
			return nil, nil, errOracle
		}
		keys[key] = true
		i := slices.Index(oracleColumns, key)
		if i < 0 {
			continue
		}
		isNumber := i == 3 || i >= 5 && i != 8
		switch v := value.(type) {
		case nil:
		case string:
			if isNumber {
				return nil, nil, errOracle
			}
			if v != "" {
				row[i] = &v
			}
		case json.Number:
			if !isNumber {
				return nil, nil, errOracle
			}
			s := v.String()
			row[i] = &s
		default:
			return nil, nil, errOracle
		}
	}
	return row, keys, nil
}

// readRows reads a log that lies in a file, or what is given as stdin.
func readRows(names []string, o Options) (rows []flat, hashes [][32]byte, err error) {
	l, err := Open(names, o)
	if err != nil {
		return nil, nil, err
	}
	for i := range l.Files() {
		c, err := l.File(i, Position{})
		if err != nil {
			return nil, nil, err
		}
		var b Block
		for err = c.Next(&b); err == nil; err = c.Next(&b) {
			rows = flatten(rows, &b)
			hashes = append(hashes, b.SHA256)
		}
		if e := c.Close(); !errors.Is(err, io.EOF) || e != nil {
			return nil, nil, errors.Join(fmt.Errorf("after %d rows: %w", len(rows), err), e)
		}
	}
	return rows, hashes, l.Close()
}

// readText reads a text as one log.
func readText(text []byte, f Format, blockRows int) ([]flat, [][32]byte, error) {
	return readRows([]string{Stdin}, Options{
		Format: f, Stdin: bytes.NewReader(text), Target: true, Texts: []string{ColumnSegment}, Numbers: []string{ColumnAmount},
		blockRows: blockRows,
	})
}
