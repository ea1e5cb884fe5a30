package affinity

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Decode reads what AppendBinary wrote, and nothing else: whatever is truncated, out of
// bounds, not a number or left over is refused. It allocates in proportion to the bytes
// that are there, not to what they claim.
func Decode(data []byte) (*Model, *Names, error) {
	if !strings.HasPrefix(string(data[:min(len(data), len(magic))]), magic) {
		return nil, nil, fmt.Errorf("%w: begins with %q, expected %q", ErrEncoding, data[:min(len(data), len(magic))], magic)
	}
	r := &reader{data: data, at: len(magic)}
	m, names := &Model{}, &Names{}
	r.settings(&m.settings)
	m.asOf = int32(r.uint32("as of"))
	names.Items = r.strings("items", maxItems)
	m.items = len(names.Items)
	for a, list := range names.attributes() {
		*list = r.strings(attributeNames[a]+" names", MaxAttribute+1)
	}
	names.Groups = r.strings("group names", MaxFact+1)
	m.holders = r.holders(m.items)
	m.trend = r.floats("trend", m.items, tiny, maxLift)
	for _, columns := range m.crowd.all() {
		for i := range columns {
			if r.count("crowd", 1) == 1 {
				columns[i] = r.floats("crowd", m.items, tiny, maxLift)
			}
		}
	}
	for a := range m.likes {
		r.alike(&m.likes[a], attributeNames[a], m.items)
	}
	r.neighbours(m)
	if r.err == nil && r.at != len(r.data) {
		r.fail("end", len(r.data)-r.at, "nothing left")
	}
	if r.err == nil {
		r.err = m.checkNames(names)
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	m.derive()
	return m, names, nil
}

// Bounds of lifts: what they are multiplied by stays finite.
const (
	tiny    = 1e-12
	maxLift = 1e12
)

// reader reads a model's bytes; after the first error it reads zeros.
type reader struct {
	data []byte
	at   int
	err  error
}

func (r *reader) fail(what string, got any, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: byte %d: %s: %v, expected %s", ErrEncoding, r.at, what, got, expected)
	}
}

// has reports whether so many bytes are left.
func (r *reader) has(what string, n int) bool {
	if r.err == nil && n > len(r.data)-r.at {
		r.fail(what, len(r.data)-r.at, fmt.Sprintf("%d bytes more", n))
	}
	return r.err == nil
}

func (r *reader) uint32(what string) uint32 {
	if !r.has(what, 4) {
		return 0
	}
	r.at += 4
	return binary.LittleEndian.Uint32(r.data[r.at-4:])
}

// count reads a number from 0 to most, in its shortest form.
func (r *reader) count(what string, most int) int {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 || v > uint64(most) || n > 1 && r.data[r.at+n-1] == 0 {
		r.fail(what, v, fmt.Sprintf("a number from 0 to %d", most))
		return 0
	}
	r.at += n
	return int(v)
}

func (r *reader) float(what string, low, high float64) float64 {
	if !r.has(what, 8) {
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data[r.at:]))
	if !(v >= low && v <= high) {
		r.fail(what, v, fmt.Sprintf("%v to %v", low, high))
		return 0
	}
	r.at += 8
	return v
}

func (r *reader) float32(what string, low, high float32) float32 {
	v := math.Float32frombits(r.uint32(what))
	if !(v >= low && v <= high) {
		r.fail(what, v, fmt.Sprintf("%v to %v", low, high))
		return 0
	}
	return v
}

func (r *reader) floats(what string, n int, low, high float64) []float64 {
	if !r.has(what, 8*n) {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = r.float(what, low, high)
	}
	return out
}

func (r *reader) settings(s *Settings) {
	for _, p := range s.numbers() {
		v := r.float(p.name, p.low, p.high)
		if p.whole != nil && v != math.Trunc(v) {
			r.fail(p.name, v, "a whole number")
		}
		p.set(v)
	}
	if r.err == nil {
		r.err = s.Validate()
	}
}

func (r *reader) strings(what string, most int) []string {
	n := r.count(what, most)
	if n == 0 || !r.has(what, n) { // a byte each at least
		return nil
	}
	out := make([]string, n)
	for i := range out {
		length := r.count(what, maxName)
		if !r.has(what, length) {
			return nil
		}
		out[i] = string(r.data[r.at : r.at+length])
		r.at += length
	}
	return out
}

func (r *reader) holders(n int) []int32 {
	if !r.has("holders", n) {
		return nil
	}
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(r.count("holders", math.MaxInt32))
	}
	return out
}

func (r *reader) alike(a *alike, name string, items int) {
	a.values = r.count(name, MaxAttribute+1)
	if a.values == 0 || !r.has(name, items+8*a.values*a.values) {
		return
	}
	a.value = make([]int32, items)
	for i := range a.value {
		a.value[i] = int32(r.count(name, a.values)) - 1
	}
	a.given = r.floats(name, a.values*a.values, 0, 1)
}

func (r *reader) neighbours(m *Model) {
	if !r.has("neighbours", m.items) {
		return
	}
	m.near.start = make([]int, 1, m.items+1)
	for x := range m.items {
		n := r.count("neighbours", m.settings.Neighbours)
		if !r.has("neighbours", 9*n) {
			return
		}
		next := 0
		for range n {
			y := next + r.count("neighbour", m.items)
			if r.err == nil && (y == x || y >= m.items) {
				r.fail("neighbour", y, fmt.Sprintf("another fund than %d, below %d", x, m.items))
			}
			e := neighbour{fund: int32(y), share: r.float32("share", 0, 1), joint: r.float32("joint", -maxJoint, maxJoint)}
			m.near.entries = append(m.near.entries, e)
			next = y + 1
		}
		m.near.start = append(m.near.start, len(m.near.entries))
	}
}

// maxJoint bounds what one fund may say of another: a regression on holdings of 0 and 1
// stays far below.
const maxJoint = 1e3
