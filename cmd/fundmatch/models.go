package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher"
	"github.com/fundmatch/fundmatch/matcher/fund"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/engine"
	"github.com/fundmatch/fundmatch/services/model"
)

// Names that stand for a model where an id may be given.
const (
	activeModel = "active"
	shadowModel = "shadow"
)

func (p *program) modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Work with the registry of models: list, show, check, put, activate, roll back, shadow",
		Long: "The registry keeps models, trained ones and hand-written ones, says which is in force and which runs in the\n" +
			"shadow, and who did it, when and why. A running service takes a change within seconds, without a restart.\n" +
			"A model is named by the SHA-256 of its bytes, or by the beginning of it, or by active or shadow.\n" +
			"docs/model-file.md tells the format.",
		Example: "  fundmatch models put model.fm --by quant.wang --note 'trained on 2026-06' --store sqlite:bank.db\n" +
			"  fundmatch models activate 3fa9c2 --by risk.li --note 'model committee 2026-07-01'\n  fundmatch models rollback --by risk.li --note complaints",
		Args: arguments(0),
		RunE: needsVerb,
	}
	cmd.AddCommand(p.modelsListCommand(), p.modelsShowCommand(), p.modelsCheckCommand(), p.modelsPutCommand(),
		p.modelsActivateCommand(), p.modelsRollbackCommand(), p.modelsShadowCommand())
	return cmd
}

// modelOptions are the flags of the verbs about models.
type modelOptions struct {
	store    string
	by, note string
	activate bool
	off      bool
	json     bool
}

func (o *modelOptions) addRead(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.store, "store", defaultStore, "store: sqlite:PATH or postgres://...")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document, as REST answers")
}

func (o *modelOptions) addWrite(cmd *cobra.Command) {
	o.addRead(cmd)
	cmd.Flags().StringVar(&o.by, "by", "", "who does it: an id")
	cmd.Flags().StringVar(&o.note, "note", "", "why, for the history")
}

// registry is the registry of a store.
type registry struct {
	*model.Service
	store bankStore
}

func (r *registry) close() error { return r.store.Close() }

// openRegistry opens the registry of a store. A model is tried with what the store has in
// force.
func (p *program) openRegistry(ctx context.Context, text string) (*registry, error) {
	store, err := openArtifacts(ctx, text)
	if err != nil {
		return nil, err
	}
	loader, err := engine.NewLoader(store, store, p.version)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &registry{model.New(store, p.tryModel(store, loader), p.now), store}, nil
}

// tryModel compiles a model with what is in force, and puts the built-in rules in force
// before, where none are.
func (p *program) tryModel(store features.Models, loader *engine.Loader) model.Check {
	return func(ctx context.Context, data []byte) error {
		now := fund.InstantOf(p.now())
		if err := engine.InstallDefaults(ctx, store, now); err != nil {
			return err
		}
		bar := p.startProgress("compile", "cores", 1)
		defer bar.end()
		return loader.TryModel(ctx, data, now)
	}
}

// resolve finds the id of a model that is named by its beginning, or as active or shadow.
func (r *registry) resolve(ctx context.Context, name string) (string, error) {
	all, err := r.list(ctx)
	if err != nil {
		return "", err
	}
	switch name {
	case activeModel:
		if all.GetActiveModelId() == "" {
			return "", usageError("no model is in force: fundmatch migrate puts the built-in one in force")
		}
		return all.GetActiveModelId(), nil
	case shadowModel:
		if all.GetShadowModelId() == "" {
			return "", usageError("no model runs in the shadow")
		}
		return all.GetShadowModelId(), nil
	}
	const shortest = 6
	var found []string
	for _, m := range all.GetModels() {
		if len(name) >= shortest && strings.HasPrefix(m.GetModelId(), name) {
			found = append(found, m.GetModelId())
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", usageError("model %q: %d ids begin so, expected more of it", name, len(found))
	}
	return "", usageError("model %.80q: there is none, expected an id of fundmatch models list, its first %d digits or more, %s or %s", name, shortest, activeModel, shadowModel)
}

// list returns all pages as one.
func (r *registry) list(ctx context.Context) (*fundmatchv1.ListModelsResponse, error) {
	req := &fundmatchv1.ListModelsRequest{PageSize: model.MaxPageSize}
	var all *fundmatchv1.ListModelsResponse
	for {
		page, err := r.ListModels(ctx, req)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = page
		} else {
			all.Models = append(all.Models, page.GetModels()...)
		}
		req.PageToken = page.GetNextPageToken()
		if req.GetPageToken() == "" {
			all.NextPageToken = ""
			return all, nil
		}
	}
}

func (p *program) modelsListCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the models of the registry, the newest first",
		Example: "  fundmatch models list --store sqlite:bank.db\n  fundmatch models list --json",
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withRegistry(cmd.Context(), &o, func(r *registry) error {
				all, err := r.list(cmd.Context())
				if err != nil {
					return err
				}
				if o.json {
					return p.printMessage(all)
				}
				var c card
				for _, m := range all.GetModels() {
					c.modelLine(m)
					c.modelSince(m)
				}
				if len(all.GetModels()) == 0 {
					c.line(0, "the registry is empty")
				}
				return c.writeTo(p.stdout)
			})
		},
	}
	o.addRead(cmd)
	return cmd
}

func (p *program) modelsShowCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one model: what it reads, what it was trained from, its figures, and what was done with it",
		Example: "  fundmatch models show active\n  fundmatch models show 3fa9c2 --json --store sqlite:bank.db",
		Args:    arguments(0, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return p.withRegistry(ctx, &o, func(r *registry) error {
				id, err := r.resolve(ctx, args[0])
				if err != nil {
					return err
				}
				a, err := r.GetModel(ctx, &fundmatchv1.GetModelRequest{ModelId: id})
				if err != nil {
					return err
				}
				if o.json {
					return p.printMessage(a)
				}
				var c card
				c.model(a.GetModel())
				return c.writeTo(p.stdout)
			})
		},
	}
	o.addRead(cmd)
	return cmd
}

func (p *program) modelsCheckCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a model as putting it into the registry would; with --store, compile it as activating it would",
		Long: "Read a model strictly: a file that is truncated, altered or of a newer program, an unknown key, a weight or\n" +
			"setting out of its bounds, an input that pays the seller (rule F04). Nothing is changed.",
		Example: "  fundmatch models check model.fm\n  fundmatch models check model.fm --store sqlite:bank.db",
		Args:    arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.modelsCheck(cmd.Context(), args[0], &o)
		},
	}
	cmd.Flags().StringVar(&o.store, "store", "", "store to compile it with: sqlite:PATH or postgres://...; none: it is only read")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON document")
	return cmd
}

func (p *program) modelsCheck(ctx context.Context, name string, o *modelOptions) error {
	data, err := readInput(name, model.MaxArtifact)
	if err != nil {
		return err
	}
	m, err := model.Describe(data)
	if err != nil {
		return modelError(name, err)
	}
	if o.store != "" {
		if err := p.tryModelFile(ctx, name, data, o.store); err != nil {
			return err
		}
	}
	if o.json {
		return p.printMessage(&fundmatchv1.GetModelResponse{Model: m})
	}
	var c card
	c.model(m)
	c.line(0, "%s: in order", name)
	return c.writeTo(p.stdout)
}

// tryModelFile compiles a model with a store that it does not change.
func (p *program) tryModelFile(ctx context.Context, name string, data []byte, text string) error {
	store, err := openArtifacts(ctx, text)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // read only
	loader, err := engine.NewLoader(store, store, p.version)
	if err != nil {
		return err
	}
	err = loader.TryModel(ctx, data, fund.InstantOf(p.now()))
	switch {
	case errors.Is(err, matcher.ErrCompile):
		return &exitError{code: exitUsage, cause: err, text: name + ": with this model no core would compile: " + err.Error()}
	case errors.Is(err, features.ErrNotFound):
		return unavailableError(err, "no rule pack is in force: fundmatch migrate puts the built-in one in force")
	}
	return err
}

// withRegistry opens a store's registry for f and tells its errors as a command does.
func (p *program) withRegistry(ctx context.Context, o *modelOptions, f func(*registry) error) (err error) {
	r, err := p.openRegistry(ctx, o.store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return modelError("", f(r))
}

// modelError gives what the registry refuses its exit code, and flags their names.
func modelError(place string, err error) error {
	if place != "" {
		place += ": "
	}
	var refused *model.RefusedError
	var state *model.StateError
	var invalid *features.InvalidError
	switch {
	case errors.As(err, &refused):
		return &exitError{code: exitUsage, cause: err, text: place + refused.Text}
	case errors.As(err, &state) && state.Reason == model.Newer:
		return unavailableError(err, "%s%s", place, state.Text)
	case errors.As(err, &state):
		return &exitError{code: exitUsage, cause: err, text: place + state.Text}
	case errors.As(err, &invalid) && (invalid.Field == "by" || invalid.Field == "note"):
		return usageError("--%s", invalid.Error())
	}
	return err
}
