package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fundmatch/fundmatch/features/dataset/synthetic"
	"github.com/fundmatch/fundmatch/matcher/score"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
)

// minGoldens is how many golden customers the API keeps at least.
const minGoldens = 44

// goldenCase is one file of testdata/rest: what is asked, and what must be answered.
// -update writes the answers; the questions are written by hand.
type goldenCase struct {
	About     string     `json:"about"`
	Exchanges []exchange `json:"exchanges"`
}

// exchange is one request and its answer. In paths, headers and bodies {decisionId}, {etag},
// {nextPageToken} and {confirmationId} stand for what an exchange before returned last, {model}
// for the id of the built-in model, {ownModel} and {ownModelBytes} for a model of the bank's.
type exchange struct {
	Request  goldenRequest  `json:"request"`
	Response goldenResponse `json:"response"`
}

type goldenRequest struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
	RawBody string            `json:"rawBody,omitempty"` // a body that is not JSON
}

type goldenResponse struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// customers returns whose facts a case changes. No other case may speak of them: the
// cases share one bank.
func (c *goldenCase) customers() []string {
	var ids []string
	for i := range c.Exchanges {
		r := &c.Exchanges[i].Request
		rest, ok := strings.CutPrefix(r.Path, "/v1/customers/")
		if id, _, _ := strings.Cut(rest, "/"); ok && r.Method != http.MethodGet && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		var batch struct{ Events []struct{ CustomerID string } }
		if r.Path != "/v1/events" || json.Unmarshal(r.Body, &batch) != nil {
			continue
		}
		for _, e := range batch.Events {
			if !slices.Contains(ids, e.CustomerID) {
				ids = append(ids, e.CustomerID)
			}
		}
	}
	return ids
}

// TestRESTGolden asks the whole service, from the socket to the decision log, and
// compares with what was reviewed. Reviewers read testdata/rest; -update rewrites it.
func TestRESTGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "rest", "*.json"))
	if err != nil || len(files) < minGoldens {
		t.Fatalf("%d golden customers (%v), expected at least %d", len(files), err, minGoldens)
	}
	client := newGoldenClient(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			c, text := readGolden(t, file)
			client.bank.draws.restart(name)
			for i := range c.Exchanges {
				client.run(t, &c.Exchanges[i])
			}
			got := writeGolden(t, c)
			if *update && !bytes.Equal(got, text) {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), string(got)); diff != "" {
				t.Errorf("the answer changed (-reviewed +now); go test ./services/server -run RESTGolden -update rewrites it:\n%s", diff)
			}
		})
	}
}

func readGolden(t *testing.T, file string) (*goldenCase, []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var c goldenCase
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return &c, text
}

// goldenClient sends the requests of cases to one bank.
type goldenClient struct {
	bank     *bank
	server   *running
	previous map[string]string // placeholders
	mask     *strings.Replacer
}

func newGoldenClient(t *testing.T) *goldenClient {
	t.Helper()
	b := openMemoryBank(t, goldenBank)
	core, _, err := b.engine.Core()
	if err != nil {
		t.Fatal(err)
	}
	id := core.Identity()
	own := bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: the bank's own"), 1)
	sum := sha256.Sum256(own)
	ownID := hex.EncodeToString(sum[:])
	return &goldenClient{
		bank: b, server: b.start(t),
		previous: map[string]string{"model": id.ModelID, "ownModel": ownID, "ownModelBytes": base64.StdEncoding.EncodeToString(own)},
		mask:     strings.NewReplacer(id.ModelID, "{model}", id.RulesID, "{rules}", id.WordingID, "{wording}", ownID, "{ownModel}"),
	}
}

// run sends a request and takes its answer.
func (g *goldenClient) run(t *testing.T, e *exchange) {
	t.Helper()
	fill := g.filler()
	headers := []string{"X-Request-Id", "golden-request"}
	for name, value := range e.Request.Headers {
		headers = append(headers, name, fill.Replace(value))
	}
	body := e.Request.RawBody
	if len(e.Request.Body) > 0 {
		var compact bytes.Buffer // the file's line breaks are for people
		if err := json.Compact(&compact, e.Request.Body); err != nil {
			t.Fatal(err)
		}
		body = fill.Replace(compact.String())
	}
	g.server.t = t
	got := g.server.do(e.Request.Method, fill.Replace(e.Request.Path), body, headers...)
	checkAnswer(t, e, got)
	g.remember(t, got)
	e.Response = goldenResponse{Status: got.code, Headers: g.headers(got)}
	if got.body != "" {
		e.Response.Body = json.RawMessage(g.masked(got.body))
	}
}

func (g *goldenClient) filler() *strings.Replacer {
	pairs := make([]string, 0, 2*len(g.previous))
	for name, value := range g.previous {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...)
}

func (g *goldenClient) remember(t *testing.T, got answer) {
	t.Helper()
	var fields struct {
		DecisionID    string `json:"decisionId"`
		NextPageToken string `json:"nextPageToken"`
		Confirmations []struct{ ID string }
	}
	if got.body != "" {
		if err := json.Unmarshal([]byte(got.body), &fields); err != nil {
			t.Fatalf("%q: %v", got.body, err)
		}
	}
	if len(fields.Confirmations) > 0 {
		g.previous["confirmationId"] = fields.Confirmations[0].ID
	}
	for name, value := range map[string]string{
		"decisionId": fields.DecisionID, "nextPageToken": fields.NextPageToken, "etag": got.header.Get("Etag"),
	} {
		if value != "" {
			g.previous[name] = value
		}
	}
}

// headers returns those that matter to a caller. The values of ETags follow from hashes
// that change with every wording; that there is one is what counts.
func (g *goldenClient) headers(got answer) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Allow", "Cache-Control", "Content-Type", "Etag", "Retry-After", "X-Request-Id"} {
		if value := got.header.Get(name); value != "" {
			kept[name] = value
		}
	}
	if kept["X-Request-Id"] == "golden-request" {
		delete(kept, "X-Request-Id") // as it should be
	}
	if kept["Etag"] != "" {
		kept["Etag"] = "{etag}"
	}
	return kept
}

// What follows from other masked values, or from which case came before.
var (
	hashes = regexp.MustCompile(`("(?:recordSha256|recordedSha256|recomputedSha256|commitment)":\s*)"[0-9a-f]{64}"`)
	places = regexp.MustCompile(`("place":\s*"writer-[0-9]{4}/[0-9]{12}/)[0-9]+"`)
)

func (g *goldenClient) masked(body string) string {
	return places.ReplaceAllString(hashes.ReplaceAllString(g.mask.Replace(body), `$1"{sha256}"`), `$1{record}"`)
}

// checkAnswer holds what every answer promises, whatever its golden file says.
func checkAnswer(t *testing.T, e *exchange, got answer) {
	t.Helper()
	if got.code == http.StatusOK && strings.Contains(e.Request.Path, "/recommendations") {
		checkRecommendation(t, got.body, strings.Contains(e.Request.Path, "explain=true"))
	}
	if got.code >= http.StatusBadRequest {
		f := got.failure(t)
		if f.Code == 0 || f.Message == "" || f.reason() == "" || f.requestID() != "golden-request" {
			t.Errorf("an error without code, sentence, reason or request id: %s", got.body)
		}
	}
}

// checkRecommendation: every item has expectation, objections and conversion, its
// contributions sum to its score in their order, and the rules that spoke are listed.
func checkRecommendation(t *testing.T, body string, explained bool) {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"decisionId", "decidedAt", "validUntil", "personalized", "revisions", "items", "excluded", "disclosures", "notices"} {
		if v := fields[name]; len(v) == 0 || string(v) == "null" {
			t.Errorf("%s is missing", name)
		}
	}
	var out fundmatchv1.RecommendResponse
	if err := (strictJSON{}).Unmarshal([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	for _, it := range out.GetItems() {
		code := it.GetProduct().GetCode()
		if it.GetExpectation() == nil || it.GetConversion() == nil || len(it.GetObjections()) == 0 {
			t.Errorf("item %s lacks expectation, conversion or objections", code)
		}
		sum := 0.0
		for _, c := range it.GetContributions() {
			sum += c.GetContribution()
		}
		if explained && (len(it.GetContributions()) == 0 || sum != it.GetScore()) { //nolint:testifylint // the sum is exact by contract
			t.Errorf("item %s: contributions sum to %v, score %v", code, sum, it.GetScore())
		}
		if !explained && len(it.GetContributions()) != 0 {
			t.Errorf("item %s: contributions that nobody asked for", code)
		}
	}
}

// writeGolden renders a case for people: what fits on a line stands on one.
func writeGolden(t *testing.T, c *goldenCase) []byte {
	t.Helper()
	raw, err := jsonOf(c)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := layOut(&out, raw, ""); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// jsonOf marshals without escaping what only HTML needs escaped.
func jsonOf(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// maxLine is how much of a value may stand on one line, in bytes.
const maxLine = 230

// layOut writes a JSON value, in the order of its fields.
func layOut(out *bytes.Buffer, raw json.RawMessage, indent string) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	open, err := d.Token()
	if err != nil {
		return err
	}
	bracket, nested := open.(json.Delim)
	if !nested || compact.Len() <= maxLine {
		out.Write(compact.Bytes())
		return nil
	}
	out.WriteString(bracket.String())
	for separator := "\n"; d.More(); separator = ",\n" {
		out.WriteString(separator + indent + "  ")
		if bracket == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%q: ", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := layOut(out, value, indent+"  "); err != nil {
			return err
		}
	}
	out.WriteString("\n" + indent + map[json.Delim]string{'{': "}", '[': "]"}[bracket])
	return nil
}

// TestRESTGoldenCoverage: the cases show every path and method of the API, every story
// customer on both channels, and no case depends on another.
func TestRESTGoldenCoverage(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "rest", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range synthetic.StoryIDs() {
		for _, channel := range []string{"app", "branch"} {
			if name := "story-" + strings.ToLower(strings.TrimPrefix(id, "DEMO-")) + "-" + channel + ".json"; !slices.Contains(files, filepath.Join("testdata", "rest", name)) {
				t.Errorf("no golden answer %s", name)
			}
		}
	}
	rs, err := readRoutes(fundmatchv1.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	answered, texts, owners := map[string]bool{}, map[string]string{}, map[string]string{}
	for _, file := range files {
		c, text := readGolden(t, file)
		texts[file] = string(text)
		for _, id := range c.customers() {
			owners[id] = file
		}
		for i := range c.Exchanges {
			e := &c.Exchanges[i]
			path, _, _ := strings.Cut(e.Request.Path, "?")
			if r := rs.find(path); r != nil && e.Response.Status == http.StatusOK {
				answered[e.Request.Method+" /"+strings.Join(r.segments, "/")+":"+r.verb] = true
			}
		}
	}
	for id, owner := range owners {
		for file, text := range texts {
			if file != owner && strings.Contains(text, "/"+id) && id != "NOBODY" {
				t.Errorf("%s speaks of %s, whose facts %s changes", file, id, owner)
			}
		}
	}
	for _, r := range rs {
		for method := range maps.Keys(r.methods) {
			if key := method + " /" + strings.Join(r.segments, "/") + ":" + r.verb; !answered[key] {
				t.Errorf("no golden customer shows %s", key)
			}
		}
	}
}
