package decisiontable

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Table is one file of the decision table.
type Table struct {
	Base  Case // what a case does not say
	Rules map[string][]Case
	// NotApplicable says of rules why a kind of cases has none: RULE.KIND.
	NotApplicable map[string]string
}

// Read reads a file of cases. Each is laid over the file's base. An unknown word is an error.
func Read(path string) (*Table, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Base          Case
		Rules         map[string][]ast.Node
		NotApplicable map[string]string `yaml:"not_applicable"`
	}
	if err := yaml.UnmarshalWithOptions(b, &file, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCase, path, err)
	}
	t := &Table{Base: file.Base, Rules: map[string][]Case{}, NotApplicable: file.NotApplicable}
	for id, nodes := range file.Rules {
		for _, node := range nodes {
			c := file.Base
			if err := yaml.NodeToValue(node, &c, yaml.Strict()); err != nil {
				return nil, fmt.Errorf("%w: %s: %s: %w", ErrCase, path, id, err)
			}
			t.Rules[id] = append(t.Rules[id], c)
		}
	}
	return t, nil
}

// IDs are the rules of the table, in order.
func (t *Table) IDs() []string { return slices.Sorted(maps.Keys(t.Rules)) }

// Len counts the cases.
func (t *Table) Len() (n int) {
	for _, cases := range t.Rules {
		n += len(cases)
	}
	return n
}

// Edit returns a rule pack with parameters (RULE.name or RULE.table.key), RULE.enabled,
// RULE.effective_from and RULE.outcome.situation set. RULE/BOOK is the entry of that book.
func Edit(pack []byte, set map[string]any) ([]byte, error) {
	if len(set) == 0 {
		return pack, nil
	}
	var doc map[string]any
	if err := yaml.Unmarshal(pack, &doc); err != nil {
		return nil, fmt.Errorf("%w: pack: %w", ErrCase, err)
	}
	for _, path := range slices.Sorted(maps.Keys(set)) {
		if err := edit(doc, path, set[path]); err != nil {
			return nil, err
		}
	}
	return yaml.Marshal(doc)
}

func edit(doc map[string]any, path string, value any) error {
	keys := strings.Split(path, ".")
	into := entry(doc, keys[0])
	if into != nil && keys[1] != "enabled" && keys[1] != "outcome" && keys[1] != "effective_from" {
		into, _ = into["parameters"].(map[string]any)
	}
	for _, k := range keys[1 : len(keys)-1] {
		into, _ = into[k].(map[string]any)
	}
	if into == nil {
		return fmt.Errorf("%w: the pack has no %s", ErrCase, path)
	}
	into[keys[len(keys)-1]] = value
	return nil
}

// entry finds a rule's entry: S05/NFRA that of the book, S05 the first.
func entry(doc map[string]any, name string) map[string]any {
	id, book, own := strings.Cut(name, "/")
	rules, _ := doc["rules"].([]any)
	for _, r := range rules {
		m, _ := r.(map[string]any)
		if m["id"] == id && (!own || m["book"] == book) {
			return m
		}
	}
	return nil
}
