package evaluation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/fundmatch/fundmatch/services/evaluation/policylog"
)

// LogSource makes a Source of a log. With identities files are looked at so that a run over them can be continued.
func LogSource(log *policylog.Log, identities bool) (Source, error) {
	s := &logSource{log: log}
	for _, f := range log.Files() {
		file := File{Name: f.Name, Size: f.Size}
		if identities && f.Size >= 0 {
			var err error
			if file.Identity, err = identify(f.Name); err != nil {
				return nil, err
			}
		}
		s.files = append(s.files, file)
	}
	return s, nil
}

type logSource struct {
	log   *policylog.Log
	files []File
}

func (s *logSource) Files() []File { return s.files }

func (s *logSource) Open(file int, from policylog.Position) (Cursor, error) {
	return s.log.File(file, from)
}

// identityBytes of each end of a file are looked at.
const identityBytes = 4096

// identify tells a file from another of its name: by its size, when it was last written, and what stands at its ends.
func identify(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it is only read
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	ends := []io.Reader{
		io.NewSectionReader(file, 0, identityBytes),
		io.NewSectionReader(file, max(0, info.Size()-identityBytes), identityBytes),
	}
	for _, end := range ends {
		if _, err := io.Copy(h, end); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d %d %s", info.Size(), info.ModTime().UnixNano(), hex.EncodeToString(h.Sum(nil)[:8])), nil
}
