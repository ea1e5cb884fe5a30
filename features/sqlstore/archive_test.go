package sqlstore

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
)

// Whoever adds a migration has to say what it means for archives: the list of tables and
// columns is that of the newest schema, on both databases.
func TestArchivesKnowTheNewestSchema(t *testing.T) {
	for _, folder := range []string{"sqlite", "postgres"} {
		files, err := fs.ReadDir(migrations, path.Join("migrations", folder))
		if err != nil {
			t.Fatal(err)
		}
		newest, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
		if n, err := strconv.Atoi(newest); err != nil || n != archiveSchema {
			t.Errorf("%s: newest migration %s, archives know %d", folder, newest, archiveSchema)
		}
	}
}

func TestArchivesHoldEveryTableAndColumn(t *testing.T) {
	s, err := Open(t.Context(), OpenConfig{Path: filepath.Join(t.TempDir(), "bank.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var stored []string
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	if err := s.reader.SelectContext(t.Context(), &stored, query); err != nil {
		t.Fatal(err)
	}
	known := unarchived()
	for _, table := range archiveTables() {
		known = append(known, table.name)
		var columns []struct {
			Name string
			Kind string
		}
		if err := s.reader.SelectContext(t.Context(), &columns, `SELECT name, type AS kind FROM pragma_table_info(?)`, table.name); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		kinds := map[columnKind]string{wholeColumn: "INTEGER", flagColumn: "INTEGER", realColumn: "REAL", textColumn: "TEXT", blobColumn: "BLOB"}
		for _, c := range columns {
			want = append(want, c.Name+" "+c.Kind)
		}
		for _, c := range table.columns {
			got = append(got, c.name+" "+kinds[c.kind])
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("table %s: archives have columns %v, the schema %v", table.name, got, want)
		}
	}
	slices.Sort(known)
	if !slices.Equal(known, stored) {
		t.Errorf("archives know tables %v, the schema has %v", known, stored)
	}
}

// smallArchive is one with a few rows, made without a database.
func smallArchive(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	a, err := newArchiveWriter(&out)
	header := archiveHeader{Schema: archiveSchema, From: "sqlite", MadeAt: 7}
	for _, t := range archiveTables() {
		header.Tables = append(header.Tables, archiveCount{t.name, 2})
	}
	err = errors.Join(err, a.writeJSON(headerFrame, header))
	for _, t := range archiveTables() {
		err = errors.Join(err, a.beginTable(t.name))
		for range 2 {
			for _, c := range t.columns {
				switch c.kind {
				case flagColumn:
					a.flag(true)
				case realColumn:
					a.real(1.5)
				case textColumn, blobColumn:
					a.bytes([]byte("x"))
				default:
					a.whole(-3)
				}
			}
			err = errors.Join(err, a.endRow())
		}
		_, ended := a.endTable(2)
		err = errors.Join(err, ended)
	}
	if err = errors.Join(err, a.end()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// FuzzArchive reads arbitrary bytes as an archive: it is either whole or ErrInvalid or of a
// newer program, and what is whole says the rows that it promised.
func FuzzArchive(f *testing.F) {
	whole := smallArchive(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(archiveMagic))
	f.Add([]byte(archiveMagic + "H\xff\xff\xff\x7f\xff\xff\xff\x7f\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := VerifyArchive(t.Context(), bytes.NewReader(data), nil)
		switch {
		case err == nil && len(a.Tables) != len(archiveTables()):
			t.Errorf("whole with %d tables", len(a.Tables))
		case err != nil && !errors.Is(err, features.ErrInvalid) && !errors.Is(err, features.ErrNewerStore):
			t.Errorf("%v: expected ErrInvalid or ErrNewerStore", err)
		}
	})
}

// reframed changes the content of the first frame of a kind and gives it its right sum, so
// that what is tested is what stands behind the checksums.
func reframed(tb testing.TB, archive []byte, kind byte, change func(content []byte) []byte) []byte {
	tb.Helper()
	r, err := newArchiveReader(bytes.NewReader(archive))
	if err != nil {
		tb.Fatal(err)
	}
	defer r.close()
	var out bytes.Buffer
	w, err := newArchiveWriter(&out)
	if err != nil {
		tb.Fatal(err)
	}
	header, got := r.content, byte(headerFrame)
	content, done := bytes.Clone(header), false
	for {
		if got == kind && !done {
			content, done = change(content), true
		}
		if err := w.writeFrame(got, content); err != nil {
			tb.Fatal(err)
		}
		if got == endFrame {
			return out.Bytes()
		}
		if got, err = r.next(); err != nil {
			tb.Fatal(err)
		}
		content = bytes.Clone(r.content)
	}
}

func TestArchivesThatLieAreRefused(t *testing.T) {
	whole := smallArchive(t)
	if _, err := VerifyArchive(t.Context(), bytes.NewReader(whole), nil); err != nil {
		t.Fatalf("the whole one: %v", err)
	}
	replace := func(from, to string) func([]byte) []byte {
		return func(c []byte) []byte { return bytes.Replace(c, []byte(from), []byte(to), 1) }
	}
	for _, c := range []struct {
		name   string
		kind   byte
		change func([]byte) []byte
		want   error
		says   string
	}{
		{"a newer schema", headerFrame, replace(`"schema":4`, `"schema":5`), features.ErrNewerStore, "schema 5"},
		{"an older schema", headerFrame, replace(`"schema":4`, `"schema":3`), features.ErrInvalid, "schema 3"},
		{"an unknown table", headerFrame, replace(`"cells"`, `"calls"`), features.ErrInvalid, `table "calls"`},
		{"a table less", headerFrame, replace(`{"name":"transactions","rows":2},`, ``), features.ErrInvalid, "16 tables"},
		{"negative rows", headerFrame, replace(`"rows":2`, `"rows":-2`), features.ErrInvalid, "-2 rows"},
		{"other rows", headerFrame, replace(`"rows":2`, `"rows":3`), features.ErrInvalid, "2 rows of table transactions"},
		{"no JSON", headerFrame, replace(`{`, `[`), features.ErrInvalid, "no JSON"},
		{"another table", tableFrame, replace("transactions", "transaction"), features.ErrInvalid, `table "transaction"`},
		{"a flag of 2", rowsFrame, func(c []byte) []byte { c[2] = 2; return c }, features.ErrInvalid, "a flag of 2"},
		{"a number too long", rowsFrame, func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 20) }, features.ErrInvalid, "more than 64 bits"},
		{"half a row", rowsFrame, func(c []byte) []byte { return c[:len(c)-1] }, features.ErrInvalid, "column market of table transactions"},
		{"another row", rowsFrame, func(c []byte) []byte { c[0]++; return c }, features.ErrInvalid, "digest"},
		{"no digest", digestFrame, replace(`{`, `x`), features.ErrInvalid, "digest"},
		{"another end", endFrame, func(c []byte) []byte { c[0]++; return c }, features.ErrInvalid, "digest of all tables"},
	} {
		_, err := VerifyArchive(t.Context(), bytes.NewReader(reframed(t, whole, c.kind, c.change)), nil)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v that says %q", c.name, err, c.want, c.says)
		}
	}
}

// What no text of PostgreSQL may be is refused before it gets there.
func TestArchivedTextsAreTexts(t *testing.T) {
	for _, bad := range []byte{0, 0xff} {
		a := &archiveReader{rows: []byte{1, bad}, last: rowsFrame}
		if _, err := a.text(); !errors.Is(err, features.ErrInvalid) {
			t.Errorf("text %x: %v, want ErrInvalid", bad, err)
		}
	}
}
