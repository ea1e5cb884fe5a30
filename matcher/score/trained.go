package score

import (
	"fmt"

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
			learned, names, err := affinity.Decode(file.Sections[s.Name])
			if err != nil {
				return fmt.Errorf("%w: section %s: %w", ErrModel, s.Name, err)
			}
			if m.Settings.Affinity.IsNearest || learned.Settings() != m.Settings.Affinity.Learned {
				return fmt.Errorf("%w: section %s: trained with other settings than those of section %s", ErrModel, s.Name, modelfile.SectionModel)
			}
			m.Affinity = &TrainedAffinity{Model: learned, Names: *names}
		default:
			return fmt.Errorf("%w: section %s: this program does not read it", ErrModel, s.Name)
		}
	}
	return nil
}
