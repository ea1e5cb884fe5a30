package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features/sqlstore/pgtest"
)

// Several services on one PostgreSQL: what was changed through one is obeyed by the others
// within the bound, whatever becomes of the database, the network and the processes.

// bound is the declared staleness; slack is what a test on a busy machine may add to what
// it measures of recovery, never to what it holds of staleness.
const (
	bound = time.Second
	slack = 8 * time.Second
)

// replicas are services on one database, with a bank in it.
type replicas struct {
	*workbench
	dsn    string
	levels map[string]string // of the customers that the bank knows, by id
	all    []*running
}

// newReplicas imports a bank into a database and serves it n times.
func newReplicas(t *testing.T, dsn, settings string, n int) *replicas {
	t.Helper()
	p := &replicas{workbench: newWorkbench(t), dsn: dsn}
	p.must("demo", "--out", "bank", "--customers", "600", "--products", "40", "--as-of", "2026-06-30")
	p.must("import", "bank", "--store", dsn)
	p.readLevels()
	p.write("fundmatch.yaml", "log: {level: error}\nops: {ready_interval: 300ms}\n"+settings)
	for range n {
		p.start(dsn)
	}
	return p
}

// start serves the bank once more.
func (p *replicas) start(dsn string) *running {
	p.Helper()
	r := p.serve("--store", dsn, "--config", "fundmatch.yaml", "--decisions", fmt.Sprintf("decisions%d", len(p.all)))
	p.all = append(p.all, r)
	return r
}

// stop ends all services in good order.
func (p *replicas) stop() {
	for _, r := range p.all {
		r.stop(p.T)
	}
}

// readLevels reads the customers of the bank whom a level above C1 binds.
func (p *replicas) readLevels() {
	p.Helper()
	file, err := os.Open(filepath.Join(p.dir, "bank", "customers.csv"))
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		p.Fatal(err)
	}
	id, level, class := slices.Index(rows[0], "customer_id"), slices.Index(rows[0], "risk_level"), slices.Index(rows[0], "professional_class")
	p.levels = map[string]string{}
	for _, row := range rows[1:] {
		if row[level] > "C1" && row[class] == "" { // no level binds a professional
			p.levels[row[id]] = row[level]
		}
	}
}

// above returns n customers with a level above C1, in order.
func (p *replicas) above(n int) []string {
	p.Helper()
	var ids []string
	for id := range p.levels {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(ids) < n {
		p.Fatalf("the bank has %d customers with a level above C1, want %d", len(ids), n)
	}
	return ids[:n]
}

// answer is what a service said.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends a request under an idempotency key, "" for none; an error is the service gone.
func (r *running) ask(ctx context.Context, method, path, key, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.http+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

// reason is why an answer is an error.
func (a *answer) reason() string {
	var e struct{ Details []struct{ Reason string } }
	_ = json.Unmarshal([]byte(a.body), &e)
	for _, d := range e.Details {
		if d.Reason != "" {
			return d.Reason
		}
	}
	return ""
}

// portrait is a customer as a service knows him.
type portrait struct {
	Revision string
	Cells    []struct{ Name, Value string }
}

// cell returns a cell's value, "" when it is not there.
func (k *portrait) cell(name string) string {
	for _, c := range k.Cells {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// customer asks for a customer. The error is of an answer that is not 200 too.
func (r *running) customer(ctx context.Context, id string) (portrait, error) {
	a, err := r.ask(ctx, http.MethodGet, "/v1/customers/"+id, "", "")
	if err != nil {
		return portrait{}, err
	}
	if a.code != http.StatusOK {
		return portrait{}, fmt.Errorf("%w: %d %s", errAnswer, a.code, a.body)
	}
	var k portrait
	err = json.Unmarshal([]byte(a.body), &k)
	return k, err
}

var errAnswer = errors.New("not the answer that was asked for")

// assess sets a level through a service.
func (r *running) assess(ctx context.Context, id, level string) error {
	a, err := r.ask(ctx, http.MethodPut, "/v1/customers/"+id+"/risk-assessment", "", `{"riskLevel":"`+level+`"}`)
	if err == nil && a.code != http.StatusOK {
		err = fmt.Errorf("%w: %d %s", errAnswer, a.code, a.body)
	}
	return err
}

// wantCautious checks that a service offers nothing above R1 to a customer.
func (r *running) wantCautious(t *testing.T, id string) {
	t.Helper()
	a, err := r.ask(t.Context(), http.MethodGet, "/v1/customers/"+id+"/recommendations?limit=20", "", "")
	if err != nil || a.code != http.StatusOK {
		t.Errorf("recommendations to %s: %d %v %s", id, a.code, err, a.body)
		return
	}
	for _, it := range decode[list](t, a.body).Items {
		if it.Product.RiskGrade > "R1" {
			t.Errorf("%s of grade %s is offered to %s, whose level is C1", it.Product.Code, it.Product.RiskGrade, id)
		}
	}
}

// eventually asks until it holds, for as long as slack.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < slack; pause(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Errorf("%s: not within %s", what, slack)
}

// Both services answer, know of each other's writes at once through the store, and name the
// database without its password.
func TestE2EPostgresServes(t *testing.T) {
	t.Parallel()
	p := newReplicas(t, pgtest.Database(t), "", 2)
	if !strings.Contains(p.all[0].ready, "is ready") || !strings.Contains(p.all[0].ready, "postgres:") {
		t.Errorf("the ready line is %q", p.all[0].ready)
	}
	whole := decode[list](t, p.all[1].get(t, "GET", "/v1/customers/"+demoCustomer+"/recommendations?limit=5&explain=true", http.StatusOK))
	checkWhole(t, &whole)
	p.stop()
}
