package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLazyDeadlineIsAContextWithADeadline(t *testing.T) {
	t.Parallel()
	type parentKey struct{}
	for _, waits := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			parent, cancelParent := context.WithCancel(context.WithValue(t.Context(), parentKey{}, "value"))
			defer cancelParent()
			at := time.Now().Add(time.Second)
			d := &lazyDeadline{Context: parent, at: at}
			if got, ok := d.Deadline(); !ok || !got.Equal(at) || d.Value(parentKey{}) != "value" || d.Err() != nil {
				t.Errorf("deadline %v, error %v", got, d.Err())
			}
			var child context.Context
			if waits {
				var cancel context.CancelFunc
				child, cancel = context.WithCancel(d)
				defer cancel()
			}
			time.Sleep(time.Second - 1)
			if d.Err() != nil {
				t.Errorf("too early: %v", d.Err())
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if !errors.Is(d.Err(), context.DeadlineExceeded) {
				t.Errorf("at the deadline: %v", d.Err())
			}
			if waits && !errors.Is(child.Err(), context.DeadlineExceeded) {
				t.Errorf("the child at the deadline: %v", child.Err())
			}
			<-d.Done() // closed, whenever it is asked for
		})
	}
}

func TestLazyDeadlineEndsWithItsParentAndItsCall(t *testing.T) {
	t.Parallel()
	for _, waits := range []bool{true, false} {
		for name, end := range map[string]func(context.CancelFunc, *lazyDeadline){
			"parent": func(cancel context.CancelFunc, _ *lazyDeadline) { cancel() },
			"call":   func(_ context.CancelFunc, d *lazyDeadline) { d.end() },
		} {
			parent, cancel := context.WithCancel(t.Context())
			d := &lazyDeadline{Context: parent, at: time.Now().Add(time.Hour)}
			if waits {
				d.Done()
			}
			end(cancel, d)
			if !errors.Is(d.Err(), context.Canceled) {
				t.Errorf("%s: %v", name, d.Err())
			}
			<-d.Done()
			if !errors.Is(d.Err(), context.Canceled) {
				t.Errorf("%s, after Done: %v", name, d.Err())
			}
			d.end()
			cancel()
		}
	}
}
