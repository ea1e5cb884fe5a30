package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// traced returns a chain of all needed stages that write their names into a list.
func traced(t *testing.T, into *[]string, refuse Stage) *chain {
	t.Helper()
	var list []step
	for s := range stageCount {
		list = append(list, step{
			stage: s,
			enter: func(*call) error {
				*into = append(*into, "+"+s.String())
				if s == refuse && s != Recovery {
					return errOverloaded
				}
				return nil
			},
			leave: func(*call) { *into = append(*into, "-"+s.String()) },
		})
	}
	ch, err := newChain(list...)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestChainRunsStagesInTheirOrderAndBack(t *testing.T) {
	t.Parallel()
	info := &grpc.UnaryServerInfo{FullMethod: "/m"}
	for _, c := range []struct {
		name    string
		refuse  Stage
		handler grpc.UnaryHandler
		want    string
		code    codes.Code
	}{
		{
			name: "answered", handler: func(context.Context, any) (any, error) { return "yes", nil },
			want: "+recovery +signals +request id +load shed +authentication +authorisation +deadline +rate limit +refusal +validation +errors " +
				"-errors -validation -refusal -rate limit -deadline -authorisation -authentication -load shed -request id -signals -recovery",
		},
		{
			name: "refused", refuse: LoadShed, handler: func(context.Context, any) (any, error) { panic("was called") },
			want: "+recovery +signals +request id +load shed -request id -signals -recovery", code: codes.ResourceExhausted,
		},
		{
			name: "panicked", handler: func(context.Context, any) (any, error) { panic("boom") },
			want: "+recovery +signals +request id +load shed +authentication +authorisation +deadline +rate limit +refusal +validation +errors " +
				"-errors -validation -refusal -rate limit -deadline -authorisation -authentication -load shed -request id -signals -recovery",
			code: codes.Internal,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			_, err := traced(t, &got, c.refuse).intercept(t.Context(), nil, info, c.handler)
			if status.Code(err) != c.code {
				t.Errorf("code %v, want %v", status.Code(err), c.code)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("order\n%s\nwant\n%s", strings.Join(got, " "), c.want)
			}
		})
	}
}

func TestChainRefusesAWrongOrder(t *testing.T) {
	t.Parallel()
	all := []Stage{Recovery, Signals, RequestID, LoadShed, Deadline, RateLimit, Refusal, Validation, Errors}
	build := func(stages []Stage) error {
		list := make([]step, len(stages))
		for i, s := range stages {
			list[i].stage = s
		}
		_, err := newChain(list...)
		return err
	}
	if err := build(all); err != nil {
		t.Fatalf("the right order: %v", err)
	}
	for i := range all {
		var orderError *OrderError
		if i+1 < len(all) {
			swapped := slices.Clone(all)
			slices.Reverse(swapped[i : i+2])
			if err := build(swapped); !errors.As(err, &orderError) {
				t.Errorf("%v: %v", swapped, err)
			}
		}
		doubled := slices.Insert(slices.Clone(all), i, all[i])
		if err := build(doubled); !errors.As(err, &orderError) {
			t.Errorf("%v twice: %v", all[i], err)
		}
		missing := slices.Delete(slices.Clone(all), i, i+1)
		if err := build(missing); (all[i] != RateLimit && all[i] != Refusal) != errors.As(err, &orderError) {
			t.Errorf("without %v: %v", all[i], err)
		}
	}
	if err := build(append(slices.Clone(all), stageCount)); err == nil {
		t.Error("a stage that does not exist is accepted")
	}
}

func TestAPanicInAStageIsAnInternalError(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"enter", "leave"} {
		left := 0
		list := []step{{stage: Recovery, leave: func(*call) { left++ }}}
		for _, s := range []Stage{Signals, RequestID, LoadShed, Deadline, Validation, Errors} {
			list = append(list, step{stage: s})
		}
		if where == "enter" {
			list[4].enter = func(*call) error { panic("enter") }
		} else {
			list[4].leave = func(*call) { panic("leave") }
		}
		ch, err := newChain(list...)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := ch.intercept(t.Context(), nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) { return "answer", nil })
		if resp != nil || status.Code(err) != codes.Internal || left != 1 {
			t.Errorf("%s: answer %v, error %v, recovery left %d times", where, resp, err, left)
		}
	}
}
