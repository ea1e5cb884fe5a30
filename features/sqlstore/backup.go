package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/jmoiron/sqlx"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Backup writes an archive of the store as of one commit, while others go on writing. at is
// the bank's clock. progress, which may be nil, is told rows. Errors of w come back as they
// are; what was written until then is no archive.
func (s *Store) Backup(ctx context.Context, w io.Writer, at fund.Instant, progress func(done, total int64)) (Archive, error) {
	var written error // by w: the caller's own, which says nothing of the store
	out := Archive{Schema: s.version, From: s.dialect.archiveName(), MadeAt: at}
	err := s.inSnapshot(ctx, func(tx *sqlx.Tx) error {
		if err := execAll(ctx, tx, s.dialect.archiving()); err != nil {
			return err
		}
		b := &backup{ctx: ctx, tx: tx, progress: progress, failed: &written}
		return b.write(w, &out)
	})
	if written != nil {
		return Archive{}, written
	}
	return out, fail(ctx, "backup", err)
}

// VerifyArchive reads an archive to its end and says what it holds. features.ErrInvalid:
// it is damaged, cut off, or none; features.ErrNewerStore: of a newer program.
func VerifyArchive(ctx context.Context, r io.Reader, progress func(done, total int64)) (Archive, error) {
	a, err := newArchiveReader(r)
	if err != nil {
		return Archive{}, err
	}
	defer a.close()
	count := counter(a.header.rows(), progress)
	none := func(*archiveTable) error { return ctx.Err() }
	return readArchive(a, none, func(*archiveTable, []any) error {
		count()
		return ctx.Err()
	}, none)
}

// backup is one archive as it is written.
type backup struct {
	ctx      context.Context // of the one call that it lives in
	tx       *sqlx.Tx
	archive  *archiveWriter
	progress func(done, total int64)
	failed   *error // of the writer beneath
}

// remembering remembers the error of whoever takes the bytes.
type remembering struct {
	io.Writer
	failed *error
}

// Write hands bytes on.
func (w remembering) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		*w.failed = err
	}
	return n, err
}

func (b *backup) write(w io.Writer, out *Archive) error {
	header, err := b.header(out)
	if err != nil {
		return err
	}
	if b.archive, err = newArchiveWriter(remembering{w, b.failed}); err != nil {
		return err
	}
	if err := b.archive.writeJSON(headerFrame, header); err != nil {
		return err
	}
	count := counter(header.rows(), b.progress)
	for _, t := range archiveTables() {
		archived, err := b.table(&t, count)
		if err != nil {
			return err
		}
		out.Tables = append(out.Tables, archived)
	}
	return b.archive.end()
}

// header counts the rows in the snapshot.
func (b *backup) header(out *Archive) (*archiveHeader, error) {
	h := &archiveHeader{Schema: out.Schema, From: out.From, MadeAt: int64(out.MadeAt)}
	for _, t := range archiveTables() {
		c := archiveCount{Name: t.name}
		if err := b.tx.QueryRowxContext(b.ctx, "SELECT COUNT(*) FROM "+t.name).Scan(&c.Rows); err != nil {
			return nil, err
		}
		h.Tables = append(h.Tables, c)
	}
	return h, nil
}

func (h *archiveHeader) rows() (n int64) {
	for _, t := range h.Tables {
		n += t.Rows
	}
	return n
}

func (b *backup) table(t *archiveTable, count func()) (out ArchivedTable, err error) {
	if err := b.archive.beginTable(t.name); err != nil {
		return out, err
	}
	out.Name = t.name
	rows, err := b.tx.QueryContext(b.ctx, "SELECT "+t.list()+" FROM "+t.name+" ORDER BY "+t.key)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	r := newArchivedRow(t)
	for ; rows.Next(); out.Rows++ {
		if err := rows.Scan(r.targets...); err != nil {
			return out, err
		}
		if err := r.write(b.archive); err != nil {
			return out, err
		}
		count()
	}
	if err := rows.Err(); err != nil {
		return out, err
	}
	out.Digest, err = b.archive.endTable(out.Rows)
	return out, err
}

// archivedRow takes one row after the other from the database.
type archivedRow struct {
	table   *archiveTable
	targets []any
	wholes  []int64 // a place for each column, of which one kind uses one
	flags   []bool
	reals   []float64
	raws    []sql.RawBytes
}

func newArchivedRow(t *archiveTable) *archivedRow {
	n := len(t.columns)
	r := &archivedRow{table: t, wholes: make([]int64, n), flags: make([]bool, n), reals: make([]float64, n), raws: make([]sql.RawBytes, n)}
	for i, c := range t.columns {
		var target any = &r.wholes[i]
		switch c.kind {
		case flagColumn:
			target = &r.flags[i]
		case realColumn:
			target = &r.reals[i]
		case textColumn, blobColumn:
			target = &r.raws[i]
		default:
		}
		r.targets = append(r.targets, target)
	}
	return r
}

func (r *archivedRow) write(a *archiveWriter) error {
	for i, c := range r.table.columns {
		switch c.kind {
		case flagColumn:
			a.flag(r.flags[i])
		case realColumn:
			a.real(r.reals[i])
		case textColumn:
			if bytes.IndexByte(r.raws[i], 0) >= 0 {
				return fmt.Errorf("%w: column %s of table %s holds a NUL, which no archive keeps", features.ErrInvalid, c.name, r.table.name)
			}
			a.bytes(r.raws[i])
		case blobColumn:
			a.bytes(r.raws[i])
		default:
			a.whole(r.wholes[i])
		}
	}
	return a.endRow()
}

// progressEvery is how many rows pass from one word of progress to the next.
const progressEvery = 1_000

// counter returns a function that counts a row.
func counter(total int64, progress func(done, total int64)) func() {
	done := int64(0)
	return func() {
		if done++; progress != nil && (done%progressEvery == 0 || done == total) {
			progress(done, total)
		}
	}
}
