package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestSources holds what no list of packages shows: no init function, and no package variable that anything assigns to
// after its declaration. Generated code is as its generator writes it.
func TestSources(t *testing.T) {
	t.Parallel()
	packages := parseTree(t)
	if len(packages) == 0 {
		t.Fatal("no Go file was found: nothing was checked")
	}
	for _, files := range packages {
		for _, f := range sourceFindings(files) {
			t.Error(f)
		}
	}
}

// TestSourceFindings sees both source rules fail, and lets through what only looks like it.
func TestSourceFindings(t *testing.T) {
	t.Parallel()
	const table = "package p\nvar table = map[string]int{}\nvar count, total int\n"
	cases := []struct {
		name, source string
		want         []string
	}{
		{"init", "package p\nfunc init() {}\n", []string{"other.go:2: func init: wire it explicitly instead"}},
		{"a method named init", "package p\ntype t struct{}\nfunc (t) init() {}\n", nil},
		{"assigned", "package p\nfunc f() { count = 1 }\n", []string{"other.go:2: assigns to the package variable count: pass it instead"}},
		{"counted", "package p\nfunc f() { total++ }\n", []string{"other.go:2: assigns to the package variable total: pass it instead"}},
		{"element", "package p\nfunc f() { table[\"a\"] = 1 }\n", []string{"other.go:2: assigns to the package variable table: pass it instead"}},
		{"through a method", "package p\ntype t struct{}\nfunc (t) f() { (table)[\"a\"] += 1 }\n", []string{"other.go:3: assigns to the package variable table: pass it instead"}},
		{"a local of that name", "package p\nfunc f() { count := 0; count = 2; _ = count }\n", nil},
		{"a local by var", "package p\nfunc f() { var count int; count++; _ = count }\n", nil},
		{"a parameter of that name", "package p\nfunc f(table map[string]int) { table[\"a\"] = 1 }\n", nil},
		{"a result of that name", "package p\nfunc f() (total int) { total = 1; return }\n", nil},
		{"a range variable of that name", "package p\nfunc f() { for count := range 3 { count++ } }\n", nil},
		{"a closure's parameter", "package p\nvar g = func(total int) { total++ }\n", nil},
		{"a field of that name", "package p\nfunc f(x struct{ count int }) { x.count = 1; _ = x }\n", nil},
		{"read only", "package p\nfunc f() int { return table[\"a\"] + count }\n", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantLines(t, sourceFindings([]source{parse(t, "table.go", table), parse(t, "other.go", c.source)}), c.want)
		})
	}
}

// source is one parsed file.
type source struct {
	name string
	set  *token.FileSet
	file *ast.File
}

// sourceFindings checks the files of one package.
func sourceFindings(files []source) []string {
	variables := map[string]bool{}
	for _, s := range files {
		for _, d := range s.file.Decls {
			for _, name := range declared(d, token.VAR) {
				variables[name] = true
			}
		}
	}
	var found []string
	for _, s := range files {
		for _, d := range s.file.Decls {
			found = append(found, s.findings(d, variables)...)
		}
	}
	return found
}

// findings checks one top-level declaration. A name that the declaration declares anywhere inside it counts as its own
// throughout: that misses an assignment beside a shadow, and never accuses a local variable.
func (s source) findings(d ast.Decl, variables map[string]bool) []string {
	var found []string
	at := func(n ast.Node) string { return fmt.Sprintf("%s:%d", s.name, s.set.Position(n.Pos()).Line) }
	f, isFunc := d.(*ast.FuncDecl)
	if isFunc && f.Recv == nil && f.Name.Name == "init" {
		found = append(found, at(d)+": func init: wire it explicitly instead")
	}
	own := locals(d)
	assigned := func(n ast.Node, target ast.Expr) {
		if name := rootName(target); variables[name] && !own[name] {
			found = append(found, fmt.Sprintf("%s: assigns to the package variable %s: pass it instead", at(n), name))
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, target := range n.Lhs {
				assigned(n, target)
			}
		case *ast.IncDecStmt:
			assigned(n, n.X)
		}
		return true
	})
	return found
}

// locals returns every name that is declared inside a declaration: parameters, results, := and var, range variables.
func locals(d ast.Decl) map[string]bool {
	own := map[string]bool{}
	add := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok {
			own[id.Name] = true
		}
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType:
			for _, list := range []*ast.FieldList{n.Params, n.Results} {
				for _, name := range fieldNames(list) {
					own[name] = true
				}
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					add(e)
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				add(n.Key)
				add(n.Value)
			}
		case *ast.DeclStmt:
			for _, name := range declared(n.Decl, token.VAR) {
				own[name] = true
			}
		}
		return true
	})
	if f, ok := d.(*ast.FuncDecl); ok {
		for _, name := range fieldNames(f.Recv) {
			own[name] = true
		}
	}
	return own
}

// fieldNames returns the names of a list of parameters, which may be nil.
func fieldNames(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var names []string
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

// declared returns the names that a declaration of the kind declares.
func declared(d ast.Decl, kind token.Token) []string {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != kind {
		return nil
	}
	var names []string
	for _, spec := range g.Specs {
		if values, ok := spec.(*ast.ValueSpec); ok {
			for _, name := range values.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// rootName returns the variable that an assignment's target lies in: v of v, v.f, v[i], (*v).f; "" when there is none.
func rootName(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// parseTree parses every hand-written Go file below the root, by directory.
func parseTree(t *testing.T) [][]source {
	t.Helper()
	byDir := map[string][]source{}
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "bin"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		if s := parse(t, name, string(text)); !ast.IsGenerated(s.file) {
			byDir[path.Dir(name)] = append(byDir[path.Dir(name)], s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.SortedFunc(maps.Values(byDir), func(a, b []source) int { return cmp.Compare(a[0].name, b[0].name) })
}

// parse parses one file; one that does not parse fails the test.
func parse(t *testing.T, name, text string) source {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{name, set, file}
}
