// Package modelfile is the one file that a trained model is: a manifest that a person can
// read, named sections, and a hash over all of it. It knows nothing of what the sections
// mean; matcher/score reads them.
//
// Layout, in this order and without gaps:
//
//	fundmatch.model/v2\n
//	<manifest: one line of canonical JSON>\n
//	<the sections' bytes, in the manifest's order>
//	sha256:<64 hex digits over everything before this line>\n
//
// The manifest is the JSON that Encode writes, byte for byte: one content has one file, and
// one file one hash. A truncated, altered or newer file is refused with the reason;
// `head -2` shows what it is.
package modelfile

import (
	"errors"
	"fmt"
)

// Schema is the version of the layout that this program writes, and the only one it reads.
const Schema = 2

// Magic is the first line of a model file of this schema, without its end.
const Magic = magicPrefix + "2"

// magicPrefix begins the first line of a model file of any schema; its number follows.
const magicPrefix = "fundmatch.model/v"

// The bounds of a model file. They catch damage and abuse: real files are far smaller.
const (
	// MaxBytes bounds a model file: 5,000 products with 400 neighbours of 12 bytes, twice.
	MaxBytes = 64 << 20
	// MaxManifestBytes bounds the manifest's line.
	MaxManifestBytes = 256 << 10
	// MaxModelBytes bounds the section model.yaml, and a model in plain YAML: ten times what
	// the built-in one has, and not so much that reading a hostile one takes long.
	MaxModelBytes = 64 << 10
	// MaxFeatures and MaxFigures bound the lists of the manifest.
	MaxFeatures = 256
	MaxFigures  = 1024
	// MaxNameBytes bounds each text of the manifest.
	MaxNameBytes = 256
)

// Errors of this package. All wrap ErrModelFile; the messages name the place, the value and
// what was expected.
var (
	ErrModelFile = errors.New("model file refused")
	// ErrTruncated: the file ends before its end.
	ErrTruncated = fmt.Errorf("%w: truncated", ErrModelFile)
	// ErrAltered: the bytes are not those that were hashed when the file was written.
	ErrAltered = fmt.Errorf("%w: altered", ErrModelFile)
	// ErrNewerSchema: a newer program wrote the file, whole; this one must not guess at it.
	ErrNewerSchema = fmt.Errorf("%w: newer schema", ErrModelFile)
)

// The sections that a program of this version knows. An unknown section is refused: it could
// change what the others mean.
const (
	SectionModel      = "model.yaml"      // weights with reasons, and settings: what score.ParseModel reads
	SectionAffinity   = "affinity.bin"    // affinity.Model, if trained ahead
	SectionConversion = "conversion.json" // probability of conversion with its calibration
)

// sections returns the known sections in the order of a file.
func sections() [3]string {
	return [...]string{SectionModel, SectionAffinity, SectionConversion}
}

// Manifest is what a person, and a registry, must know of a model without its coefficients.
type Manifest struct {
	Name     string `json:"name"`     // of the section model.yaml too
	Version  int    `json:"version"`  // likewise
	Code     string `json:"code"`     // version of the program that trained it
	Features []Term `json:"features"` // what it reads, with the versions of their definitions
	Training Window `json:"training"` // zero: nothing was trained, the weights were set by people
	// Validation are the figures that the training printed, by name, in a fixed order.
	Validation []Figure  `json:"validation"`
	Sections   []Section `json:"sections"` // in the file's order; Encode fills them in
}

// Term is one input of the model.
type Term struct {
	Name       string `json:"name"`
	Definition string `json:"definition"` // version of what it means
}

// Window is what the model was trained from.
type Window struct {
	From     string `json:"from"`    // first day with data, YYYY-MM-DD
	Through  string `json:"through"` // last day: nothing known later is in the model
	Rows     int64  `json:"rows"`
	DataHash string `json:"dataHash"` // hex SHA-256 over the canonical rows
}

// Figure is one figure of the validation, with its 95 % interval where there is one.
type Figure struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

// Section names a part of the file.
type Section struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// File is a model file in memory.
type File struct {
	Manifest Manifest
	Sections map[string][]byte // by name
}
