package sqlstore

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/fundmatch/fundmatch/features"
)

// Between the read of a head and that of the past behind it the customer may be erased. Then
// he is not found, and no customer of whom nothing is known.
func TestWhoIsErasedMeanwhileHasNoPast(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), OpenConfig{Path: filepath.Join(t.TempDir(), "bank.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Import(t.Context(), 20, func(b features.Batch) error {
		return b.Events([]features.Event{{ID: "e", CustomerID: "c1", Kind: "CLICK", EventAt: 10}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.profileOfPast(t.Context(), "c1", 5); err != nil || p.CustomerID != "c1" {
		t.Errorf("before all that is known of him: %+v, %v, want an empty profile", p, err)
	}
	if _, err := s.Erase(t.Context(), features.Erasure{CustomerID: "c1", At: 30, By: "he", Salt: [32]byte{1}, Pseudonym: [16]byte{1}}); err != nil {
		t.Fatal(err)
	}
	if p, err := s.profileOfPast(t.Context(), "c1", 5); !errors.Is(err, features.ErrNotFound) {
		t.Errorf("after his erasure: %+v, %v, want ErrNotFound", p, err)
	}
}
