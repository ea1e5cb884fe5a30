package score

import (
	"bytes"
	"fmt"
)

// The limits of a model's YAML, beside its size. The parser takes quadratic time, and worse,
// over long lines and deep nesting: over some texts of 64 KiB it takes minutes.
const (
	maxLine     = 1024 // bytes
	maxBrackets = 8    // open at once
	maxMarks    = 64   // of YAML's own characters in a line
)

// checkShape refuses such texts before they are parsed.
func checkShape(data []byte) error {
	number, open := 0, 0
	for line := range bytes.Lines(data) {
		number++
		if len(line) > maxLine {
			return fmt.Errorf("%w: line %d: %d bytes, expected at most %d", ErrModel, number, len(line), maxLine)
		}
		marks := 0
		for _, c := range line {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open--
			case '-', '?', ':', '!', '&', '*', '|', '>':
				marks++
			}
			if open > maxBrackets || marks > maxMarks {
				return fmt.Errorf("%w: line %d: %d open brackets, %d marks, expected at most %d and %d", ErrModel, number, open, marks, maxBrackets, maxMarks)
			}
		}
	}
	return nil
}
