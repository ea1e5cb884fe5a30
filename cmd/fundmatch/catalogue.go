package main

import (
	"context"
	"errors"
	"sync"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/view"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// readViewsFile reads a bank's catalogue of views of a file, strictly, and its bytes.
func readViewsFile(name string) (*view.Catalogue, []byte, error) {
	data, err := readInput(name, view.MaxCatalogueBytes)
	if err != nil {
		return nil, nil, err
	}
	c, err := view.Parse(data)
	if err != nil {
		return nil, nil, usageError("%s: %v", name, err)
	}
	return c, data, nil
}

// chooseCatalogue reads the views of a file, or those that were in force in the store at an
// instant where no file is named.
func chooseCatalogue(ctx context.Context, file string, store features.Models, at fund.Instant) (*view.Catalogue, error) {
	if file != "" {
		c, _, err := readViewsFile(file)
		return c, err
	}
	stored, err := viewsAt(ctx, store, at)
	return stored.Catalogue, err
}

// storedViews is a catalogue of the store.
type storedViews struct {
	*view.Catalogue
	inForce // its id is empty: none was published, and the built-in one speaks
}

// checkCell is Catalogue.CheckCell, and tells who never published views how they get there.
func (s *storedViews) checkCell(cell *features.Cell) error {
	err := s.CheckCell(cell)
	if refused := (*features.InvalidError)(nil); s.id == "" && errors.As(err, &refused) && refused.Field == "view" {
		return features.Invalid(refused.Field, refused.Value, refused.Expected+"; the bank has published none of its own (fundmatch views publish)")
	}
	return err
}

// viewsAt reads the catalogue that was in force at an instant: the built-in one before a
// bank published the first.
func viewsAt(ctx context.Context, store features.Models, at fund.Instant) (storedViews, error) {
	s, err := artifactAt(ctx, store, features.ViewsArtifact, at)
	if errors.Is(err, features.ErrNotFound) {
		return storedViews{Catalogue: view.Default()}, nil
	}
	if err != nil {
		return storedViews{}, err
	}
	c, err := parseStored(s.id, s.data)
	return storedViews{c, s}, err
}

// viewsInForce gives the catalogue in force, which it reads once for each that is put there.
type viewsInForce struct {
	store features.Models
	mu    sync.Mutex
	id    string
	last  *view.Catalogue
}

// at is customer.Views.
func (v *viewsInForce) at(ctx context.Context, at fund.Instant) (*view.Catalogue, error) {
	id, data, err := v.store.ActiveAt(ctx, features.ViewsArtifact, at)
	if errors.Is(err, features.ErrNotFound) {
		return view.Default(), nil
	}
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.id != id {
		c, err := parseStored(id, data)
		if err != nil {
			return nil, err
		}
		v.id, v.last = id, c
	}
	return v.last, nil
}

// parseStored reads a catalogue of the store. One that this program cannot read is not
// replaced by another: values would be read by definitions that nobody put in force.
func parseStored(id string, data []byte) (*view.Catalogue, error) {
	c, err := view.Parse(data)
	if err != nil {
		return nil, unavailableError(err, "the catalogue of views %s in the store cannot be read by this program: %v", id, err)
	}
	return c, nil
}

// viewsHistory are the catalogues that were in force, oldest first, as they were published.
type viewsHistory []publishedViews

// publishedViews is one of them.
type publishedViews struct {
	features.Activation
	catalogue *view.Catalogue
	err       error // why it cannot be read any more
}

// readViewsHistory reads them all, for whoever asks about many instants.
func readViewsHistory(ctx context.Context, store features.Models) (viewsHistory, error) {
	history, err := store.Activations(ctx, features.ViewsArtifact)
	if err != nil {
		return nil, err
	}
	out := make(viewsHistory, len(history))
	read := map[string]int{} // the first place of each artifact
	for i, a := range history {
		if first, ok := read[a.ArtifactID]; ok {
			out[i] = publishedViews{a, out[first].catalogue, out[first].err}
			continue
		}
		data, err := store.Artifact(ctx, features.ViewsArtifact, a.ArtifactID)
		if err != nil {
			return nil, err
		}
		out[i].Activation, read[a.ArtifactID] = a, i
		out[i].catalogue, out[i].err = parseStored(a.ArtifactID, data)
	}
	return out, nil
}

// at is what viewsAt reads of the store: of the last publication at or before an instant.
func (h viewsHistory) at(at fund.Instant) (*view.Catalogue, error) {
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].At <= at {
			return h[i].catalogue, h[i].err
		}
	}
	return view.Default(), nil
}
