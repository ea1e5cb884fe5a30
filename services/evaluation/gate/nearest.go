package gate

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// How much is looked through for what may have been meant.
const (
	maxSuggested = 3
	maxLeaves    = 5000
)

// nearest names the figures whose paths are most like the one that was asked for: "; did you mean ...", or nothing.
func nearest(document any, path []string) string {
	var leaves []string
	gather(document, "", &leaves)
	type candidate struct {
		path     string
		distance int
	}
	asked := strings.Join(path, ".")
	candidates := make([]candidate, 0, len(leaves))
	for _, leaf := range leaves {
		short := shortest(leaf)
		d := min(distance(asked, leaf), distance(asked, short))
		if d <= max(len(asked)/2, 3) {
			candidates = append(candidates, candidate{short, d})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return a.distance - b.distance })
	names := []string{}
	for _, c := range candidates {
		if len(names) < maxSuggested && !slices.Contains(names, c.path) {
			names = append(names, c.path)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, ", ") + "?"
}

// shortest leaves out the longest root that a path may do without.
func shortest(leaf string) string {
	short := leaf
	for _, root := range roots() {
		if rest, found := strings.CutPrefix(leaf, root+"."); root != "" && found && len(rest) < len(short) {
			short = rest
		}
	}
	return short
}

// gather collects the paths of figures, members in the order of their names: the same document, the same message.
func gather(v any, path string, leaves *[]string) {
	if len(*leaves) >= maxLeaves {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if _, has := v["value"].(float64); has {
			*leaves = append(*leaves, path) // stands for its value
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			gather(v[name], join(path, name), leaves)
		}
	case []any:
		if len(v) == 2 && strings.HasSuffix(path, "ci95") {
			*leaves = append(*leaves, path+".low", path+".high")
			return
		}
		for i, e := range v {
			gather(e, join(path, called(e, i)), leaves)
		}
	case float64, nil:
		*leaves = append(*leaves, path)
	}
}

// called is the word for an element of a list.
func called(e any, at int) string {
	if object, is := e.(map[string]any); is {
		for _, label := range labels() {
			if name, is := object[label].(string); is && name != "" {
				return name
			}
		}
	}
	return strconv.Itoa(at)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// distance is Levenshtein's over bytes, of the first MaxBytes of each.
func distance(a, b string) int {
	a, b = a[:min(len(a), MaxBytes)], b[:min(len(b), MaxBytes)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := above
			if a[i] != b[j] {
				cost++
			}
			above = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
