package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// archivedStore is a store that archives hold: both SQL databases.
type archivedStore interface {
	Backup(ctx context.Context, w io.Writer, at fund.Instant, progress func(done, total int64)) (sqlstore.Archive, error)
	Restore(ctx context.Context, r io.Reader, progress func(done, total int64)) (sqlstore.Archive, error)
}

func (p *program) backupCommand() *cobra.Command {
	var store, out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Archive a store as of one commit, while it is written to",
		Long: "Write one compressed file with checksums that holds the store as of one commit, while others go on reading and\n" +
			"writing. It is the same from SQLite and PostgreSQL, and can be restored into either. The decision log is not in\n" +
			"it: copy its directory after the backup (docs/operations.md says why in this order).",
		Example: "  fundmatch backup --store sqlite:bank.db --out bank-2026-06-01.fmb\n" +
			"  PGPASSFILE=/etc/fundmatch/pgpass fundmatch backup --store postgres://fundmatch@db/bank --out bank.fmb",
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError("--out: not given, expected the file to write")
			}
			return p.backup(cmd.Context(), store, out, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&store, "store", defaultStore, "store: "+keptStores)
	f.StringVar(&out, "out", "", "file to write; it appears when all of it is on disk")
	f.BoolVar(&asJSON, "json", false, "print what the archive holds as JSON")
	return cmd
}

// keptStores are the stores that outlive a command.
const keptStores = "sqlite:PATH or postgres://USER@HOST:PORT/DATABASE"

func (p *program) backup(ctx context.Context, text, out string, asJSON bool) error {
	spec, err := parseKeptStore(text)
	if err != nil {
		return err
	}
	store, closeStore, err := p.openArchived(ctx, spec, mustExist)
	if err != nil {
		return err
	}
	defer closeStore()
	bar := p.startProgress("backup", "rows", -1)
	defer bar.end()
	told := false
	var made sqlstore.Archive
	err = p.writeOut(out, func(w io.Writer) (err error) {
		made, err = store.Backup(ctx, w, fund.InstantOf(p.now()), func(done, total int64) {
			if !told {
				told = true
				bar.rename("backup", total)
			}
			bar.set(done)
		})
		return err
	})
	if err != nil {
		return err
	}
	bar.end()
	return p.printArchive("backed up "+spec.text+" to "+out, &made, asJSON)
}

func (p *program) restoreCommand() *cobra.Command {
	var store string
	var verify, asJSON bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty store from an archive of fundmatch backup",
		Long: "Check an archive of fundmatch backup to its end, then fill an empty store from it in one transaction: all of it\n" +
			"or nothing. The store may be of the other kind: that is how a bank moves from SQLite to PostgreSQL. A store that\n" +
			"holds anything is refused, also one that only migrate or serve prepared. --verify checks the archive and stops.",
		Example: "  fundmatch restore bank-2026-06-01.fmb --store sqlite:restored.db\n" +
			"  fundmatch restore bank.fmb --store postgres://fundmatch@db/bank\n  fundmatch restore bank.fmb --verify",
		Args: arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if verify {
				store = ""
			}
			return p.restore(cmd.Context(), args[0], store, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&store, "store", defaultStore, "empty or new store: "+keptStores)
	f.BoolVar(&verify, "verify", false, "only check the archive; no store is opened")
	f.BoolVar(&asJSON, "json", false, "print what the archive holds as JSON")
	return cmd
}

// restore checks an archive, and unless text is empty fills the store with it. It is
// checked first, so that a damaged one does not even make an empty store.
func (p *program) restore(ctx context.Context, name, text string, asJSON bool) error {
	var spec storeSpec
	if text != "" {
		parsed, err := parseKeptStore(text)
		if err != nil {
			return err
		}
		spec = parsed
	}
	file, err := os.Open(name)
	if err != nil {
		return usageError("%s: %s, expected an archive of fundmatch backup", name, pathReason(err))
	}
	defer func() { _ = file.Close() }() // it is only read
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return usageError("%s: is a directory, expected an archive of fundmatch backup", name)
	}
	bar := p.startProgress("check", "rows", -1)
	defer bar.end()
	held, err := sqlstore.VerifyArchive(ctx, file, func(done, _ int64) { bar.set(done) })
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if text == "" {
		bar.end()
		return p.printArchive(name+" is whole", &held, asJSON)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	store, closeStore, err := p.openArchived(ctx, spec, create)
	if err != nil {
		return err
	}
	defer closeStore()
	bar.rename("restore", held.Rows())
	if held, err = store.Restore(ctx, file, func(done, _ int64) { bar.set(done) }); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	bar.end()
	return p.printArchive("restored "+name+" into "+spec.text, &held, asJSON)
}

// openArchived opens a store that archives hold.
func (p *program) openArchived(ctx context.Context, spec storeSpec, m mode) (archivedStore, func(), error) {
	store, err := spec.open(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	closeStore := func() { _ = store.Close() } // what was committed is on disk
	archived, ok := store.(archivedStore)
	if !ok {
		closeStore()
		return nil, nil, usageError("--store: %q has no archives, expected %s", spec.text, keptStores)
	}
	return archived, closeStore, nil
}

// archiveReport is what is printed with --json.
type archiveReport struct {
	Schema int64                `json:"schema"`
	From   string               `json:"from"`
	MadeAt string               `json:"madeAt"`
	Rows   int64                `json:"rows"`
	Tables []archiveTableReport `json:"tables"`
}

type archiveTableReport struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

func (p *program) printArchive(what string, a *sqlstore.Archive, asJSON bool) error {
	madeAt := a.MadeAt.Time().UTC().Format(time.RFC3339)
	if !asJSON {
		_, err := fmt.Fprintf(p.stdout, "%s: %d rows of %d tables, schema %d, made of a %s store at %s\n",
			what, a.Rows(), len(a.Tables), a.Schema, a.From, madeAt)
		return err
	}
	out := archiveReport{Schema: a.Schema, From: a.From, MadeAt: madeAt, Rows: a.Rows(), Tables: []archiveTableReport{}}
	for _, t := range a.Tables {
		out.Tables = append(out.Tables, archiveTableReport{t.Name, t.Rows, hex.EncodeToString(t.Digest[:])})
	}
	return p.printJSON(out)
}
