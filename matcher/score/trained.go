package score

import (
	"fmt"

	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score/affinity"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// parseTrained reads a model file: its own checks, then the YAML inside as it is read alone,
// then the other sections.
func parseTrained(data []byte, complete func(*modelFile)) (*Model, error) {
	file, err := modelfile.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	f, err := decodeModel(file.Sections[modelfile.SectionModel])
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", modelfile.SectionModel, err)
	}
	complete(f)
	m, err := f.model()
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", modelfile.SectionModel, err)
	}
	manifest := file.Manifest // a copy: the model must not keep the file's bytes in memory
	m.Manifest = &manifest
	if err := m.checkManifest(); err != nil {
		return nil, err
	}
	if err := m.readSections(file); err != nil {
		return nil, err
	}
	return m, nil
}

// checkManifest holds the manifest against the settings that it stands above, and its
// features against rule F04: what a trained section reads must be named there.
func (m *Model) checkManifest() error {
	is := m.Manifest
	if is.Name != m.Name || is.Version != m.Version {
		return fmt.Errorf("%w: manifest: %q version %d, expected %q version %d as in section %s",
			ErrModel, is.Name, is.Version, m.Name, m.Version, modelfile.SectionModel)
	}
	for i, f := range is.Features {
		if err := CheckInput(f.Name); err != nil {
			return fmt.Errorf("%w: manifest: features[%d]: %w", ErrModel, i, err)
		}
	}
	return nil
}

// readSections decodes the sections beside the settings: this is the one place where they
// are read. A section that nothing reads is refused, because the scores would lack it.
func (m *Model) readSections(file *modelfile.File) error {
	for _, s := range file.Manifest.Sections {
		switch s.Name {
		case modelfile.SectionModel: // read before
		case modelfile.SectionConversion:
			conversion, err := ParseConversion(file.Sections[s.Name])
			if err != nil {
				return fmt.Errorf("section %s: %w", s.Name, err)
			}
			m.Conversion = conversion
		case modelfile.SectionAffinity:
			if err := m.readTrainedAffinity(file.Sections[s.Name]); err != nil {
				return fmt.Errorf("%w: section %s: %w", ErrModel, s.Name, err)
			}
		default:
			return fmt.Errorf("%w: section %s: this program does not read it", ErrModel, s.Name)
		}
	}
	return nil
}

// readTrainedAffinity decodes the section and holds it against what stands beside it: the
// settings, and the days that the manifest says it is of.
func (m *Model) readTrainedAffinity(data []byte) error {
	learned, names, err := affinity.Decode(data)
	if err != nil {
		return err
	}
	if m.Settings.Affinity.IsNearest || learned.Settings() != m.Settings.Affinity.Learned {
		return fmt.Errorf("trained with other settings than those of section %s", modelfile.SectionModel)
	}
	through, err := fund.ParseDate(m.Manifest.Training.Through)
	if err != nil || through == 0 || int64(learned.AsOf()) > int64(through.DayNumber()) {
		return fmt.Errorf("as of %d days after 1970-01-01, expected a day until the manifest's training.through %q", learned.AsOf(), m.Manifest.Training.Through)
	}
	if err := checkLearnedNames(names); err != nil {
		return err
	}
	m.Affinity = &TrainedAffinity{Model: learned, Names: *names}
	return nil
}

// checkLearnedNames refuses names by which nothing is found, or the wrong thing: they are
// looked up by halving, and no name at all is what nothing is known of.
func checkLearnedNames(n *affinity.Names) error {
	for _, list := range [...]struct {
		of    string
		names []string
	}{{"kinds", n.Kinds}, {"issuers", n.Issuers}, {"themes", n.Themes}, {"goals", n.Goals}, {"groups", n.Groups}} {
		last := ""
		for i, name := range list.names {
			if name <= last {
				return fmt.Errorf("%s: name %d: %.80q after %.80q, expected names in ascending order, none empty", list.of, i, name, last)
			}
			last = name
		}
	}
	return nil
}
