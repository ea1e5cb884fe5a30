package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// mutant is one condition, broken in one way.
type mutant struct {
	number   int
	source   *source
	line     int
	function string
	rules    []string // that the function speaks for
	was, now string   // the condition as it stands and as it is broken, on one line
	nth      int      // of equal ones in the function, from 1
}

// String names the place, the rules and the change.
func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d: %s (%s): %s  =>  %s", m.source.path, m.line, m.function, strings.Join(m.rules, " "), m.was, m.now)
}

// edit is a text that goes into the source before an offset.
type edit struct {
	at    int
	text  string
	opens bool // stands before what begins at the offset, else after what ends there
	depth int  // of the expression: outer ones open first and close last
}

// finder walks one file.
type finder struct {
	*source
	files    *token.FileSet
	rules    map[string][]string
	number   *int
	function string
	ruled    []string
	seen     map[string]int
	depth    int
}

// mutate finds the file's mutants and the edits that switch them.
func (s *source) mutate(rules map[string][]string, number *int) error {
	f := &finder{source: s, files: token.NewFileSet(), rules: rules, number: number}
	file, err := parser.ParseFile(f.files, s.path, s.text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			f.enter(fn)
			ast.Inspect(fn.Body, f.visit(results(fn.Type), false))
		}
	}
	return nil
}

var ruleID = regexp.MustCompile(`\b[SECGPAFKW]\d\d\b`)

func (f *finder) enter(fn *ast.FuncDecl) {
	f.function, f.seen = fn.Name.Name, map[string]int{}
	f.ruled = append([]string{}, f.rules[f.function]...)
	f.ruled = append(f.ruled, ruleID.FindAllString(fn.Doc.Text(), -1)...)
	slices.Sort(f.ruled)
	f.ruled = slices.Compact(f.ruled)
}

func results(t *ast.FuncType) []ast.Expr {
	var types []ast.Expr
	if t.Results != nil {
		for _, field := range t.Results.List {
			for range max(1, len(field.Names)) {
				types = append(types, field.Type)
			}
		}
	}
	return types
}

// visit returns the walker of one function's body.
func (f *finder) visit(types []ast.Expr, literal bool) func(ast.Node) bool {
	var walk func(n ast.Node) bool
	walk = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			ast.Inspect(n.Body, f.visit(results(n.Type), true))
			return false
		case *ast.ForStmt:
			if n.Post != nil { // counts; a broken one shows nothing of a rule
				ast.Inspect(n.Body, walk)
				return false
			}
			f.condition(n.Cond)
		case *ast.IfStmt:
			f.condition(n.Cond)
		case *ast.SwitchStmt:
			f.cases(n)
		case *ast.CallExpr:
			f.whenArgument(n)
		case *ast.ReturnStmt:
			f.returned(n, types, literal)
		case *ast.BinaryExpr:
			f.binary(n)
		case *ast.UnaryExpr:
			if n.Op == token.NOT && !isCompared(n.X) {
				f.flip(n, f.textOf(n.X))
			}
		}
		return true
	}
	return walk
}

// cases are conditions in a switch without a tag.
func (f *finder) cases(s *ast.SwitchStmt) {
	if s.Tag != nil {
		return
	}
	for _, stmt := range s.Body.List {
		if c, ok := stmt.(*ast.CaseClause); ok {
			for _, e := range c.List {
				f.condition(e)
			}
		}
	}
}

// whenArgument: when(applies) is how parts ask whether they apply.
func (f *finder) whenArgument(c *ast.CallExpr) {
	if name, ok := c.Fun.(*ast.Ident); ok && name.Name == "when" && len(c.Args) == 1 {
		f.condition(c.Args[0])
	}
}

// returned breaks what a function of conditions or keys answers.
func (f *finder) returned(r *ast.ReturnStmt, types []ast.Expr, literal bool) {
	if len(r.Results) != len(types) {
		return
	}
	for i, e := range r.Results {
		name, ok := types[i].(*ast.Ident)
		switch {
		case ok && name.Name == "bool":
			f.condition(e)
		case ok && name.Name == "int" && f.textOf(e) == "-1":
			f.shift(e, "0")
		case ok && name.Name == "int" && literal && !isWhen(e):
			f.shift(e, f.textOf(e)+" + 1")
		}
	}
}

func isWhen(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := c.Fun.(*ast.Ident)
	return ok && name.Name == "when"
}

// condition negates a condition that is no comparison and no negation: those are broken
// where they stand.
func (f *finder) condition(e ast.Expr) {
	if e == nil || isCompared(e) {
		return
	}
	if u, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && u.Op == token.NOT && !isCompared(u.X) {
		return
	}
	text := f.textOf(e)
	switch text {
	case "true":
		f.flip(e, "false")
	case "false":
		f.flip(e, "true")
	default:
		f.flip(e, "!("+text+")")
	}
}

func isCompared(e ast.Expr) bool {
	b, ok := ast.Unparen(e).(*ast.BinaryExpr)
	return ok && b.Op != token.LAND && b.Op != token.LOR
}

func (f *finder) binary(b *ast.BinaryExpr) {
	x, y := f.textOf(b.X), f.textOf(b.Y)
	as := func(op string) string { return x + " " + op + " " + y }
	switch b.Op {
	case token.LSS:
		f.boundary(b, as("<="), "|| %s && (%s) == (%s)")
		f.flip(b, as(">="))
	case token.LEQ:
		f.boundary(b, as("<"), "&& !(%s && (%s) == (%s))")
		f.flip(b, as(">"))
	case token.GTR:
		f.boundary(b, as(">="), "|| %s && (%s) == (%s)")
		f.flip(b, as("<="))
	case token.GEQ:
		f.boundary(b, as(">"), "&& !(%s && (%s) == (%s))")
		f.flip(b, as("<"))
	case token.EQL:
		f.flip(b, as("!="))
	case token.NEQ:
		f.flip(b, as("=="))
	case token.LAND:
		f.exchange(b, as("||"))
	case token.LOR:
		f.exchange(b, as("&&"))
	default:
		return
	}
	if b.Op == token.LAND || b.Op == token.LOR {
		f.leaf(b.X)
		f.leaf(b.Y)
	}
}

// leaf negates one side of && or || that is neither of them itself.
func (f *finder) leaf(e ast.Expr) {
	if _, ok := ast.Unparen(e).(*ast.BinaryExpr); !ok {
		f.condition(e)
	}
}

// flip negates an expression.
func (f *finder) flip(e ast.Expr, now string) {
	on := f.add(e, now)
	f.wrap(e, "((", ") != "+on+")")
}

// boundary moves the end of a comparison by the one value that both sides have in common.
func (f *finder) boundary(b *ast.BinaryExpr, now, format string) {
	on := f.add(b, now)
	f.wrap(b, "((", ") "+fmt.Sprintf(format, on, f.raw(b.X), f.raw(b.Y))+")")
}

// exchange makes && of || and || of &&: not (not a and not b).
func (f *finder) exchange(b *ast.BinaryExpr, now string) {
	on := f.add(b, now)
	f.wrap(b, "((", ") != "+on+")")
	f.wrap(b.X, "((", ") != "+on+")")
	f.wrap(b.Y, "((", ") != "+on+")")
}

// shift makes a number one more.
func (f *finder) shift(e ast.Expr, now string) {
	f.add(e, now)
	f.wrap(e, "(", fmt.Sprintf(" + mutantMore(%d))", *f.number))
}

// add numbers a mutant and returns the switch that turns it on.
func (f *finder) add(e ast.Expr, now string) string {
	*f.number++
	m := &mutant{
		number: *f.number, source: f.source, line: f.files.Position(e.Pos()).Line,
		function: f.function, rules: f.ruled, was: f.textOf(e), now: now,
	}
	key := m.was + " => " + m.now
	f.seen[key]++
	m.nth = f.seen[key]
	f.mutants = append(f.mutants, m)
	return fmt.Sprintf("mutantOn(%d)", m.number)
}

// wrap puts text around an expression. Of several around one expression the later stands
// outside.
func (f *finder) wrap(e ast.Expr, before, after string) {
	f.depth++
	begin, end := f.files.Position(e.Pos()).Offset, f.files.Position(e.End()).Offset
	// A longer expression stands outside a shorter one that begins or ends with it.
	size := (end-begin)<<16 + f.depth
	f.edits = append(f.edits, edit{begin, before, true, size}, edit{end, after, false, size})
}

// raw is the source of an expression.
func (f *finder) raw(e ast.Expr) string {
	return string(f.text[f.files.Position(e.Pos()).Offset:f.files.Position(e.End()).Offset])
}

// textOf is the source of an expression on one line.
func (f *finder) textOf(e ast.Expr) string { return strings.Join(strings.Fields(f.raw(e)), " ") }

// instrumented is the file with all its mutants, switched off.
func (s *source) instrumented() []byte {
	edits := slices.Clone(s.edits)
	slices.SortStableFunc(edits, func(a, b edit) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.opens != b.opens: // what ends here ends before another thing begins
			if a.opens {
				return 1
			}
			return -1
		case a.opens:
			return cmp.Compare(b.depth, a.depth)
		default:
			return cmp.Compare(a.depth, b.depth)
		}
	})
	var out []byte
	from := 0
	for _, e := range edits {
		out = append(out, s.text[from:e.at]...)
		out = append(out, e.text...)
		from = e.at
	}
	return append(out, s.text[from:]...)
}

// readRuleFunctions reads off the rulebook which function speaks for which rules.
func readRuleFunctions(path string) (map[string][]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return nil, err
	}
	rules := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		fields := map[string]string{}
		for _, e := range lit.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				key, _ := kv.Key.(*ast.Ident)
				value, _ := kv.Value.(*ast.Ident)
				if key != nil && value != nil {
					fields[key.Name] = value.Name
				}
			}
		}
		for _, field := range [...]string{"parts", "order"} {
			if fn := fields[field]; fn != "" {
				rules[fn] = append(rules[fn], fields["id"])
			}
		}
		return true
	})
	return rules, nil
}
