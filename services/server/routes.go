package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/services/model"
	"github.com/fundmatch/fundmatch/services/wording"
)

// routes are the paths of the REST API, read from its own description. They say what the
// gateway does not: which methods a path takes, and which query parameters there are. The
// gateway ignores a parameter that it does not know; here it is an error, because a
// misspelt filter would otherwise answer a question that nobody asked.
type routes []*route

// The paths whose bodies are larger than others': whole texts, as JSON may spell them, and
// whole models.
const (
	lintPath   = "/v1/wording:lint"
	modelsPath = "/v1/models"
)

// route is one path with its methods.
type route struct {
	segments []string // a literal, or "" for a parameter
	params   []string // by segment: the parameter's name, or "" for a literal
	verb     string   // after the last ':'; empty for none
	methods  map[string]*operation
	allow    string // value of the Allow header
	// largeBody is how much a body may be where that is more than the listener takes of
	// others, in bytes; 0: as others.
	largeBody int64
	// slots, when not nil, bound how many large bodies are in memory at once.
	slots chan struct{}
}

// operation is what one method of a path takes.
type operation struct {
	query   map[string]string // name -> type of OpenAPI: string, integer, boolean
	hasBody bool
}

// openAPI is the part of the description that routing needs.
type openAPI struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name string `json:"name"`
			In   string `json:"in"`
			Type string `json:"type"`
		} `json:"parameters"`
	} `json:"paths"`
}

// readRoutes reads the description of the REST API.
func readRoutes(description []byte) (routes, error) {
	var api openAPI
	if err := json.Unmarshal(description, &api); err != nil {
		return nil, fmt.Errorf("server: OpenAPI description: %w", err)
	}
	var all routes
	for path, methods := range api.Paths {
		r := newRoute(path)
		for method, op := range methods {
			o := &operation{query: map[string]string{}}
			for _, p := range op.Parameters {
				switch p.In {
				case "query":
					o.query[p.Name] = p.Type
				case "body":
					o.hasBody = true
				}
			}
			r.methods[strings.ToUpper(method)] = o
		}
		r.allow = allowed(r.methods)
		switch path {
		case lintPath:
			r.largeBody = wording.MaxBody
		case modelsPath:
			r.largeBody, r.slots = model.MaxBody, make(chan struct{}, 1)
		}
		all = append(all, r)
	}
	// A path with a verb is tried before the one that would take the verb as part of an id.
	slices.SortFunc(all, func(a, b *route) int { return strings.Compare(b.verb, a.verb) })
	return all, nil
}

func newRoute(path string) *route {
	r := &route{methods: map[string]*operation{}}
	if i := strings.LastIndex(path, "}:"); i >= 0 {
		path, r.verb = path[:i+1], path[i+2:]
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		param := ""
		if strings.HasPrefix(segment, "{") {
			param, segment = strings.Trim(segment, "{}"), ""
		}
		r.segments, r.params = append(r.segments, segment), append(r.params, param)
	}
	return r
}

func allowed(methods map[string]*operation) string {
	names := []string{http.MethodOptions}
	for m := range methods {
		names = append(names, m)
		if m == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// find returns the route of a path, or nil.
func (rs routes) find(path string) *route {
	for _, r := range rs {
		if r.matches(path) {
			return r
		}
	}
	return nil
}

func (r *route) matches(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if r.verb != "" && ok {
		rest, ok = strings.CutSuffix(rest, ":"+r.verb)
	}
	if !ok {
		return false
	}
	for i, want := range r.segments {
		segment, after, more := strings.Cut(rest, "/")
		last := i == len(r.segments)-1
		if segment == "" || want != "" && segment != want || more == last {
			return false
		}
		rest = after
	}
	return true
}

// admit takes a place for a body that may be larger than limit, and returns what gives it
// back. There is none: errOverloaded.
func (r *route) admit(length, limit int64) (leave func(), err error) {
	if r.slots == nil || length >= 0 && length <= limit {
		return func() {}, nil
	}
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }, nil
	default:
		return nil, errOverloaded
	}
}

// checkBody refuses a body that gives a parameter of the path another value: the gateway
// would take the path's in silence, and one of the two is a mistake. What is no JSON
// object is left to the gateway, which says why.
func (r *route) checkBody(path string, body []byte) error {
	if !slices.ContainsFunc(r.params, func(p string) bool { return p != "" }) {
		return nil
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(body, &fields) // fields stays empty where it fails
	if r.verb != "" {
		path = strings.TrimSuffix(path, ":"+r.verb)
	}
	values := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, param := range r.params {
		if param == "" {
			continue
		}
		for _, name := range [...]string{param, snakeCase(param)} { // protojson takes both spellings
			var given string
			if json.Unmarshal(fields[name], &given) == nil && given != "" && given != values[i] {
				return features.Invalid(param, given, "nothing, or the value in the path")
			}
		}
	}
	return nil
}

// snakeCase returns the proto's spelling of a lowerCamelCase name.
func snakeCase(name string) string {
	var b strings.Builder
	for _, c := range name {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// checkQuery refuses parameters that the operation does not have, repeated ones, and
// values of another type.
func (o *operation) checkQuery(u *url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return features.Invalid("query", u.RawQuery, "an URL-encoded query")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names) // the same error for the same query
	for _, name := range names {
		kind, known := o.query[name]
		if !known {
			return features.Invalid(name, strings.Join(values[name], ","), o.parameters())
		}
		if len(values[name]) != 1 {
			return features.Invalid(name, strings.Join(values[name], ","), "one value")
		}
		if !utf8.ValidString(values[name][0]) {
			return features.Invalid(name, strings.ToValidUTF8(values[name][0], "\uFFFD"), "UTF-8")
		}
		if err := checkType(name, values[name][0], kind); err != nil {
			return err
		}
	}
	return nil
}

func (o *operation) parameters() string {
	if len(o.query) == 0 {
		return "no query parameter"
	}
	names := make([]string, 0, len(o.query))
	for name := range o.query {
		names = append(names, name)
	}
	slices.Sort(names)
	return "one of the query parameters " + strings.Join(names, " ")
}

func checkType(name, value, kind string) error {
	switch kind {
	case "integer":
		if _, err := strconv.ParseInt(value, 10, 32); err != nil {
			return features.Invalid(name, value, "a whole number")
		}
	case "boolean":
		if value != "true" && value != "false" {
			return features.Invalid(name, value, "true or false")
		}
	}
	return nil
}
