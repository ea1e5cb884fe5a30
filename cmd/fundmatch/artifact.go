package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// What the verbs about rule packs and about catalogues of views share: both are artifacts
// that are put in force by somebody, at an instant, for a reason.

// artifactOptions are their flags.
type artifactOptions struct {
	store, at string
	by, note  string
	dryRun    bool
	json      bool
}

func (o *artifactOptions) addStore(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
}

func (o *artifactOptions) addJSON(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
}

// addPublication adds who publishes and why. trial says what --dry-run does.
func (o *artifactOptions) addPublication(cmd *cobra.Command, trial string) {
	o.addStore(cmd)
	cmd.Flags().StringVar(&o.by, "by", "", "who publishes: an id")
	cmd.Flags().StringVar(&o.note, "note", "", "why, for the history")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, trial)
}

// instant reads --at; nothing is now.
func (o *artifactOptions) instant(now time.Time) (fund.Instant, error) {
	if o.at == "" {
		return fund.InstantOf(now), nil
	}
	at, err := fund.ParseInstant(o.at)
	if err != nil || at <= 0 {
		return 0, usageError("--at: %.80q, expected an RFC 3339 time such as 2026-06-01T10:00:00+08:00", o.at)
	}
	return at, nil
}

// activation is the entry of the history under which an artifact would be published.
func (o *artifactOptions) activation(kind features.ArtifactKind, data []byte, at fund.Instant) (features.Activation, error) {
	sum := sha256.Sum256(data)
	a := features.Activation{Kind: kind, ArtifactID: hex.EncodeToString(sum[:]), At: at, By: o.by, Note: o.note}
	if a.Note == "" {
		return a, usageError("--note: nothing, expected why it is published")
	}
	if err := a.Check(); err != nil {
		return a, usageError("--by, --note: %v", err)
	}
	return a, nil
}

// putInForce keeps an artifact and puts it in force.
func putInForce(ctx context.Context, store features.Models, data []byte, a features.Activation) error {
	if _, err := store.Put(ctx, a.Kind, data); err != nil {
		return err
	}
	return store.Activate(ctx, a)
}

// readInput reads a file that somebody names, of up to limit bytes; what lies above is cut
// off behind the first byte of it, for the parser to refuse.
func readInput(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	defer func() { _ = file.Close() }() // read only
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, usageError("%s: cannot be read: %s", name, pathReason(err))
	}
	return data, nil
}

func openArtifacts(ctx context.Context, text string) (bankStore, error) {
	spec, err := parseKeptStore(text)
	if err != nil {
		return nil, err
	}
	return spec.open(ctx, mustExist)
}

// published says who put an artifact in force.
type published struct {
	At   string `json:"at"`
	By   string `json:"by"`
	Note string `json:"note"`

	at fund.Instant
}

func newPublished(a features.Activation) *published {
	return &published{At: a.At.String(), By: a.By, Note: a.Note, at: a.At}
}

// inForce is an artifact of the store.
type inForce struct {
	id   string
	data []byte
	// last is the publication that put it in force at the instant that was asked for.
	last features.Activation
}

// artifactAt reads the artifact that was in force at an instant. ErrNotFound before the first.
func artifactAt(ctx context.Context, store features.Models, kind features.ArtifactKind, at fund.Instant) (s inForce, err error) {
	if s.id, s.data, err = store.ActiveAt(ctx, kind, at); err != nil {
		return s, err
	}
	history, err := store.Activations(ctx, kind)
	if err != nil {
		return s, err
	}
	for _, a := range history {
		if a.ArtifactID == s.id && a.At <= at {
			s.last = a
		}
	}
	return s, nil
}
