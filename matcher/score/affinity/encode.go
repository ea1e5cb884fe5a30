package affinity

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// ErrEncoding is wrapped by every error about the bytes of a model; the message names the
// place, the value and what was expected.
var ErrEncoding = errors.New("affinity model refused")

// Names tie the numbers of a model to what they stand for outside of it.
type Names struct {
	Items []string // fund codes, by number
	// By number, of each attribute; empty where nobody will ask.
	Kinds, Issuers, Themes, Goals, Markets []string
	// Groups are the names of the customers' groups, sorted; empty where none were known.
	Groups []string
}

func (n *Names) attributes() [attributes]*[]string {
	return [attributes]*[]string{&n.Kinds, &n.Issuers, &n.Themes, &n.Goals, &n.Markets}
}

// magic starts a model's bytes: the format and its version.
const magic = "fundmatch.affinity/1\n"

// Bounds of a model's bytes.
const (
	maxItems = 100_000
	// maxName are the bytes of a code or a name: of texts as the bank's data have them, which
	// are bounded in characters of four bytes at most.
	maxName = 4 * fund.MaxTextLength
)

// AppendBinary appends the model and the names of its numbers to dst: the same bytes for
// the same model. The layout is in Decode's order: numbers little-endian, counts and
// indices as unsigned varints.
func (m *Model) AppendBinary(dst []byte, names *Names) ([]byte, error) {
	if err := m.checkNames(names); err != nil {
		return nil, err
	}
	dst = append(dst, magic...)
	for _, p := range m.settings.numbers() {
		dst = appendFloat(dst, p.get())
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.asOf))
	dst = appendStrings(dst, names.Items)
	for _, list := range names.attributes() {
		dst = appendStrings(dst, *list)
	}
	dst = appendStrings(dst, names.Groups)
	for _, h := range m.holders {
		dst = binary.AppendUvarint(dst, uint64(h))
	}
	dst = appendFloats(dst, m.trend)
	for _, columns := range m.crowd.all() {
		for _, column := range columns {
			dst = binary.AppendUvarint(dst, uint64(min(1, len(column))))
			dst = appendFloats(dst, column)
		}
	}
	for a := range m.likes {
		dst = m.likes[a].append(dst)
	}
	for x := range int32(m.items) {
		dst = appendRow(dst, m.near.row(x))
	}
	return dst, nil
}

// checkNames refuses names that Decode would refuse.
func (m *Model) checkNames(names *Names) error {
	if len(names.Items) != m.items {
		return fmt.Errorf("%w: %d codes, expected %d", ErrEncoding, len(names.Items), m.items)
	}
	seen := make(map[string]bool, len(names.Items))
	for i, code := range names.Items {
		if code == "" || len(code) > maxName || seen[code] {
			return fmt.Errorf("%w: item %d: code %q, expected 1 to %d bytes, each code once", ErrEncoding, i, code, maxName)
		}
		seen[code] = true
	}
	for a, list := range names.attributes() {
		if len(*list) > MaxAttribute+1 || len(*list) > 0 && len(*list) < m.likes[a].values {
			return fmt.Errorf("%w: %s: %d names, expected none or %d to %d", ErrEncoding, attributeNames[a], len(*list), m.likes[a].values, MaxAttribute+1)
		}
		if err := checkLengths(attributeNames[a], *list); err != nil {
			return err
		}
	}
	if n := len(names.Groups); n > MaxFact+1 || !slices.IsSorted(names.Groups) {
		return fmt.Errorf("%w: groups: %d names, expected at most %d, sorted", ErrEncoding, n, MaxFact+1)
	}
	return checkLengths("group", names.Groups)
}

func checkLengths(of string, names []string) error {
	for i, name := range names {
		if len(name) > maxName {
			return fmt.Errorf("%w: %s %d: a name of %d bytes, expected at most %d", ErrEncoding, of, i, len(name), maxName)
		}
	}
	return nil
}

func (a *alike) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(a.values))
	for _, v := range a.value {
		dst = binary.AppendUvarint(dst, uint64(v+1))
	}
	return appendFloats(dst, a.given)
}

func appendRow(dst []byte, row []neighbour) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(row)))
	last := int32(-1)
	for _, e := range row {
		dst = binary.AppendUvarint(dst, uint64(e.fund-last-1))
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(e.share))
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(e.joint))
		last = e.fund
	}
	return dst
}

func appendStrings(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

func appendFloats(dst []byte, list []float64) []byte {
	for _, v := range list {
		dst = appendFloat(dst, v)
	}
	return dst
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}
