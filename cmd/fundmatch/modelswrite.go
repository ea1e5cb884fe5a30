package main

import (
	"context"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/model"
)

func (p *program) modelsPutCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:   "put FILE --by WHO --note TEXT",
		Short: "Check a model and keep it in the registry; with --activate, put it in force",
		Long: "Check a model as models check does and keep it. It answers nobody yet: models activate puts it in force, models\n" +
			"shadow runs it beside the one in force. A bank's model has a name of its own, since a newer program replaces\n" +
			"its own built-in. Putting a model that is there changes nothing.",
		Example: "  fundmatch models put model.fm --by quant.wang --note 'trained on 2026-06' --store sqlite:bank.db\n" +
			"  fundmatch models put model.fm --by quant.wang --note 'trained on 2026-06' --activate",
		Args: arguments(0, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.modelsPut(cmd.Context(), args[0], &o)
		},
	}
	o.addWrite(cmd)
	cmd.Flags().BoolVar(&o.activate, "activate", false, "put it in force too, after it was compiled")
	return cmd
}

func (p *program) modelsPut(ctx context.Context, name string, o *modelOptions) error {
	data, err := readInput(name, model.MaxArtifact)
	if err != nil {
		return err
	}
	if err := model.Admit(data); err != nil {
		return modelError(name, err)
	}
	return p.withRegistry(ctx, o, func(r *registry) error {
		kept, err := r.CreateModel(ctx, &fundmatchv1.CreateModelRequest{Artifact: data, By: o.by, Note: o.note})
		if err != nil {
			return err
		}
		if !o.activate {
			return p.tellModel(o, kept, kept.GetModel())
		}
		a, err := r.ActivateModel(ctx, &fundmatchv1.ActivateModelRequest{ModelId: kept.GetModel().GetModelId(), By: o.by, Note: o.note})
		if err != nil {
			return err
		}
		return p.tellModel(o, a, a.GetModel())
	})
}

// tellModel prints what REST would answer, or the model's line.
func (p *program) tellModel(o *modelOptions, answer proto.Message, m *fundmatchv1.Model) error {
	if o.json {
		return p.printMessage(answer)
	}
	var c card
	c.modelLine(m)
	return c.writeTo(p.stdout)
}

func (p *program) modelsActivateCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:   "activate ID --by WHO --note TEXT",
		Short: "Put a kept model in force, after it was compiled with the published pool; also an old one again",
		Example: "  fundmatch models activate 3fa9c2 --by risk.li --note 'model committee 2026-07-01' --store sqlite:bank.db\n" +
			"  fundmatch models activate shadow --by risk.li --note 'no divergence in a week'",
		Args: arguments(0, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return p.withRegistry(ctx, &o, func(r *registry) error {
				id, err := r.resolve(ctx, args[0])
				if err != nil {
					return err
				}
				a, err := r.ActivateModel(ctx, &fundmatchv1.ActivateModelRequest{ModelId: id, By: o.by, Note: o.note})
				if err != nil {
					return err
				}
				return p.tellModel(&o, a, a.GetModel())
			})
		},
	}
	o.addWrite(cmd)
	return cmd
}

func (p *program) modelsRollbackCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:   "rollback [ID] --by WHO --note TEXT",
		Short: "Take back the model in force: the one that was in force before it is put in force again",
		Long: "Take back the model in force: the one that was in force before it, and was not taken back itself, is put in\n" +
			"force again. With an ID, only if that model is in force: two who act at once do not go back twice.",
		Example: "  fundmatch models rollback --by risk.li --note complaints --store sqlite:bank.db\n" +
			"  fundmatch models rollback 3fa9c2 --by risk.li --note complaints",
		Args: arguments(1, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := activeModel
			if len(args) > 0 {
				name = args[0]
			}
			ctx := cmd.Context()
			return p.withRegistry(ctx, &o, func(r *registry) error {
				id, err := r.resolve(ctx, name)
				if err != nil {
					return err
				}
				a, err := r.RollbackModel(ctx, &fundmatchv1.RollbackModelRequest{ModelId: id, By: o.by, Note: o.note})
				if err != nil {
					return err
				}
				return p.tellModel(&o, a, a.GetModel())
			})
		},
	}
	o.addWrite(cmd)
	return cmd
}

func (p *program) modelsShadowCommand() *cobra.Command {
	var o modelOptions
	cmd := &cobra.Command{
		Use:   "shadow ID --by WHO --note TEXT",
		Short: "Score requests with a kept model too and show the result to nobody; with --off, no longer",
		Example: "  fundmatch models shadow 3fa9c2 --by quant.wang --note 'a week beside v3' --store sqlite:bank.db\n" +
			"  fundmatch models shadow --off --by quant.wang --note 'the week is over'",
		Args: arguments(1, "ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.modelsShadow(cmd.Context(), args, &o)
		},
	}
	o.addWrite(cmd)
	cmd.Flags().BoolVar(&o.off, "off", false, "run no model in the shadow any more, instead of an ID")
	return cmd
}

func (p *program) modelsShadow(ctx context.Context, args []string, o *modelOptions) error {
	switch {
	case o.off && len(args) == 1:
		return usageError("shadow: both given, expected an ID, or --off")
	case !o.off && len(args) == 0:
		return usageError("shadow: neither given, expected an ID, or --off")
	}
	name := activeModel // as its own shadow it is none
	if !o.off {
		name = args[0]
	}
	return p.withRegistry(ctx, o, func(r *registry) error {
		id, err := r.resolve(ctx, name)
		if err != nil {
			return err
		}
		a, err := r.ShadowModel(ctx, &fundmatchv1.ShadowModelRequest{ModelId: id, By: o.by, Note: o.note})
		if err != nil {
			return err
		}
		if o.off && !o.json {
			var c card
			c.line(0, "no model runs in the shadow")
			return c.writeTo(p.stdout)
		}
		return p.tellModel(o, a, a.GetModel())
	})
}
