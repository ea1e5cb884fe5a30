package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/services/customer"
	"github.com/fundmatch/fundmatch/services/decisionlog"
)

// eraseOptions are the flags of erase.
type eraseOptions struct {
	decisionsOptions
	by string
}

func (p *program) eraseCommand() *cobra.Command {
	var o eraseOptions
	cmd := &cobra.Command{
		Use:   "erase CUSTOMER_ID --by WHO",
		Short: "Forget a customer at his own word: every value about him, in the store and in the decision log",
		Long: "Take every value about a customer out of the store, and then out of the decision log. What stays is the erasure with\n" +
			"a commitment to what was there, his recorded words on warnings (rule C06), and his purchases under a random name and\n" +
			"without amounts. The salt of the commitment is printed once and kept nowhere.\n" +
			"Erasing again prints the erasure that stands, and finishes one that was interrupted. A service may go on running.",
		Example: "  fundmatch erase C000001 --by zhang.li --store sqlite:bank.db",
		Args:    arguments(0, "CUSTOMER_ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.erase(cmd.Context(), args[0], &o)
		},
	}
	o.addTo(cmd)
	cmd.Flag("store").Usage = "store that he is erased in: " + keptStores
	cmd.Flags().StringVar(&o.by, "by", "", "who asked: the customer's word on file, or an id")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

func (p *program) erase(ctx context.Context, id string, o *eraseOptions) (err error) {
	if err := fund.CheckID(id); err != nil {
		return usageError("CUSTOMER_ID: %v", err)
	}
	if o.by == "" || len(o.by) > features.MaxErasedBy {
		return usageError("--by: %q, expected who asked, in 1 to %d bytes", o.by, features.MaxErasedBy)
	}
	spec, err := parseStore(o.store)
	if err != nil {
		return err
	}
	dir, err := o.dir()
	if err != nil {
		return err
	}
	store, err := spec.open(ctx, mustExist)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	eraser := customer.NewEraser(store, &dirLog{dir: dir}, p.random, p.now)
	done, err := eraser.Erase(ctx, id, o.by, features.Idempotency{})
	if errors.Is(err, features.ErrNotFound) {
		return &exitError{code: exitUsage, cause: err, text: fmt.Sprintf("there is no customer %q in %s", id, spec.text)}
	}
	if unfinished := (*customer.UnfinishedError)(nil); errors.As(err, &unfinished) {
		return unavailableError(err, "%s", unfinished.Error())
	}
	if err != nil {
		return err
	}
	if o.json {
		return p.printMessage(done.Message())
	}
	return p.tellErasure(&done)
}

func (p *program) tellErasure(done *customer.Forgotten) error {
	var out strings.Builder
	if done.Repeated {
		fmt.Fprintf(&out, "customer %s was erased on %s already, asked by %s\n", done.CustomerID, shanghai(done.At.Time()), done.By)
	} else {
		fmt.Fprintf(&out, "erased customer %s: %d cells, %d events; %d interactions stay without name and amount\n", done.CustomerID, done.Cells, done.Events, done.Purchases)
	}
	fmt.Fprintf(&out, "records of the decision log erased now: %d\ncommitment %s\n", done.Decisions, hex.EncodeToString(done.Commitment[:]))
	if !done.Repeated {
		fmt.Fprintf(&out, "salt       %s\nkeep the salt where the customer's request is filed: it is kept nowhere else\n", hex.EncodeToString(done.Salt[:]))
	}
	_, err := fmt.Fprint(p.stdout, out.String())
	return err
}

// dirLog is the decision log of a directory, opened for one erasure. A service that writes
// there goes on.
type dirLog struct{ dir string }

// EraseUntil is customer.DecisionLog. Where no decision was ever recorded, nothing is made.
func (l *dirLog) EraseUntil(ctx context.Context, id string, until int64) (n int, err error) {
	if _, err := decisionlog.OpenReader(l.dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		return 0, err
	}
	log, err := decisionlog.Open(l.dir, decisionlog.Config{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	return log.EraseUntil(ctx, id, until)
}
