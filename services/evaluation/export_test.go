package evaluation

// Seal lets tests seal what no run wrote.
var Seal = seal

// SegmentsPart is the part of PartSegments by itself.
var SegmentsPart = segmentsPart

// SegmentState is the exact form of the state of a value.
func SegmentState(m Measure, column int, value string) (string, bool) {
	s, is := m.(*segments)
	if !is || s.values[column][value] == nil {
		return "", false
	}
	text, err := s.values[column][value].MarshalJSON()
	return string(text), err == nil
}
