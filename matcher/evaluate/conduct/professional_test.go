package conduct_test

import (
	"slices"
	"testing"

	"github.com/fundmatch/fundmatch/matcher/evaluate/conduct"
)

// No level bounds a professional investor, but what nobody graded is shown to nobody.
func TestAProfessionalIsBoundByNoLevel(t *testing.T) {
	t.Parallel()
	level := &conduct.Text{Values: []uint32{0, 0, 1, 2}, Names: []string{conduct.Professional, "C4", "professional"}}
	grade := &conduct.Text{Values: []uint32{0, 1, 0, 0}, Names: []string{"R5", ""}}
	want := []conduct.Kind{conduct.Kinds, conduct.Ungraded, conduct.AboveLevel, conduct.UnknownLevel}
	if got := conduct.Violations(level, grade); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
