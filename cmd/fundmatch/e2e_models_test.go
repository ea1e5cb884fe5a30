package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/features/sqlstore"
	"github.com/fundmatch/fundmatch/matcher/fund"
	"github.com/fundmatch/fundmatch/matcher/score"
	"github.com/fundmatch/fundmatch/matcher/score/modelfile"
)

// smuggler puts models in force behind the registry's back, as a hand, a broken disk or a
// newer program could.
type smuggler struct {
	*testing.T
	store *sqlstore.Store
	file  string // of the store
}

func (s *smuggler) put(data []byte) (id string) {
	s.Helper()
	id, err := s.store.Put(s.Context(), features.ModelArtifact, data)
	if err != nil {
		s.Fatal(err)
	}
	s.activate(id)
	return id
}

func (s *smuggler) activate(id string) {
	s.Helper()
	err := s.store.Activate(s.Context(), features.Activation{Kind: features.ModelArtifact, ArtifactID: id, At: fund.InstantOf(time.Now()), By: "smuggler"})
	if err != nil {
		s.Fatal(err)
	}
}

// damage changes the stored bytes of an artifact, but not its name.
func (s *smuggler) damage(data []byte) (id string) {
	s.Helper()
	id, err := s.store.Put(s.Context(), features.ModelArtifact, data)
	if err != nil {
		s.Fatal(err)
	}
	db, err := sql.Open("sqlite", s.file)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	done, err := db.ExecContext(s.Context(), `UPDATE artifacts SET data = ? WHERE artifact_id = ?`, data[:len(data)-1], id)
	if err != nil {
		s.Fatal(err)
	}
	if n, err := done.RowsAffected(); n != 1 || err != nil {
		s.Fatalf("%d rows changed, %v", n, err)
	}
	s.activate(id)
	return id
}

// modelFile is a trained model's file with the built-in weights.
func modelFile(t *testing.T, name string) []byte {
	t.Helper()
	built, err := score.ParseModel(score.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	var terms []modelfile.Term
	for f := range score.Features {
		terms = append(terms, modelfile.Term{Name: f.String(), Definition: "1"})
	}
	data, err := modelfile.Encode(modelfile.File{
		Manifest: modelfile.Manifest{Name: name, Version: built.Version, Code: "e2e", Features: terms, Training: modelfile.Window{
			From: "2026-01-01", Through: "2026-06-01", Rows: 1, DataHash: strings.Repeat("0", 64),
		}},
		Sections: map[string][]byte{modelfile.SectionModel: bytes.Replace(score.DefaultModel(), []byte("name: spine"), []byte("name: "+name), 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestE2EABadModelIsRefused: a truncated, altered or newer model that is put in force past
// every check is refused with the reason, the old one answers and readiness stays, and a good
// one is taken up.
func TestE2EABadModelIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.demoBank()
	w.write("fundmatch.yaml", "engine: {poll: 20ms}\n")
	r := w.serve("--store", "sqlite:bank.db", "--config", "fundmatch.yaml")
	ops := regexp.MustCompile(`ops http://([^ ,]+)`).FindStringSubmatch(r.ready)[1]
	store, err := sqlstore.Open(t.Context(), sqlstore.OpenConfig{Path: filepath.Join(w.dir, "bank.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	s := &smuggler{t, store, filepath.Join(w.dir, "bank.db")}
	metrics := func() string {
		return (&running{http: ops}).get(t, http.MethodGet, "/metrics", http.StatusOK)
	}
	wait := func(metric string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(metrics(), metric); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited too long for %s\n%s", metric, r.stderr)
			}
		}
	}
	good := s.put(modelFile(t, "first"))
	wait(`model="` + good)

	whole := modelFile(t, "second")
	newer := bytes.Replace(whole[:bytes.LastIndex(whole, []byte("sha256:"))], []byte(modelfile.Magic), []byte("fundmatch.model/v3"), 1)
	newer = fmt.Appendf(newer, "sha256:%x\n", sha256.Sum256(newer)) // whole: a newer program wrote it
	altered := bytes.Replace(whole, []byte("weight: 0"), []byte("weight: 9"), 1)
	for reason, smuggle := range map[string]func() string{
		"truncated":    func() string { return s.put(whole[:len(whole)*2/3]) },
		"altered":      func() string { return s.put(altered) },
		"newer schema": func() string { return s.put(newer) },
		"another hash": func() string { return s.damage(modelFile(t, "third")) },
		"expected":     func() string { return s.put([]byte("schema: fundmatch.model/v1\n")) },
	} {
		bad := smuggle()
		wait(`fundmatch_lineup_refused{kind="MODEL"} 1`)
		if text := metrics(); !strings.Contains(text, "fundmatch_core_degraded 1") || !strings.Contains(text, `model="`+good) {
			t.Errorf("%s: the metrics do not say that the old model answers", reason)
		}
		r.get(t, http.MethodGet, "/readyz", http.StatusOK)
		if pool := r.get(t, http.MethodGet, "/v1/pool", http.StatusOK); !strings.Contains(pool, `"degraded":true`) {
			t.Errorf("%s: the pool is not shown as degraded: %.200s", reason, pool)
		}
		answer := r.get(t, http.MethodGet, "/v1/customers/"+demoCustomer+"/recommendations", http.StatusOK)
		if !strings.Contains(answer, good) || strings.Contains(answer, bad) {
			t.Errorf("%s: not the old model answers", reason)
		}
		next := "after" + strings.ReplaceAll(reason, " ", "")
		good = s.put(modelFile(t, next))
		wait(`model="` + good)
		if text := metrics(); !strings.Contains(text, "fundmatch_core_degraded 0") || strings.Contains(text, "fundmatch_lineup_refused{") {
			t.Errorf("%s: still degraded with a good model in force", reason)
		}
	}
	r.stop(t)
	for _, reason := range []string{"truncated", "altered", "newer schema", "another hash", "expected"} {
		if !regexp.MustCompile(`"component":"MODEL".*"reason":"[^"]*` + reason).MatchString(r.stderr.String()) {
			t.Errorf("the log does not say why: %s", reason)
		}
	}
}
