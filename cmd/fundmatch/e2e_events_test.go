package main

import (
	"net/http"
	"strings"
	"testing"
)

// post sends a batch of events and wants a status.
func (r *running) post(t *testing.T, events string, want int) string {
	t.Helper()
	code, body, err := r.send(t.Context(), http.MethodPost, "/v1/events", `{"events":[`+events+`]}`)
	if err != nil || code != want {
		t.Fatalf("POST /v1/events %s: %d %v, want %d: %s", events, code, err, want, body)
	}
	return body
}

// recorded is the answer to a batch.
type recorded struct{ Accepted, Duplicates int }

// Events are kept once, survive a kill, and leave the customer readable.
func TestE2EEvents(t *testing.T) {
	t.Parallel()
	w := newWorkbench(t)
	w.demoBank()
	r := w.serve("--store", "sqlite:bank.db")
	const (
		doubt   = `{"eventId":"E1","customerId":"` + demoCustomer + `","kind":"OBJECTION","eventAt":"2026-06-30T10:00:00+08:00","productCode":"900011","channel":"BRANCH","attributes":{"objection":"FEE"}}`
		visit   = `{"eventId":"E2","customerId":"` + demoCustomer + `","kind":"DETAIL_VIEW","eventAt":"2026-06-29T10:00:00+08:00","productCode":"900011","attributes":{"page":"RISK","dwell_seconds":40}}`
		another = `{"eventId":"E1","customerId":"` + demoCustomer + `","kind":"OBJECTION","eventAt":"2026-06-30T10:00:00+08:00","productCode":"900011","channel":"BRANCH","attributes":{"objection":"DRAWDOWN"}}`
		fresh   = `{"eventId":"E3","customerId":"` + demoCustomer + `","kind":"CLICK","eventAt":"2026-06-30T11:00:00+08:00"}`
	)
	before := decode[struct{ Revision string }](t, r.get(t, "GET", "/v1/customers/"+demoCustomer, http.StatusOK))
	if got := decode[recorded](t, r.post(t, doubt+","+visit, http.StatusOK)); got != (recorded{2, 0}) {
		t.Errorf("the first batch: %+v, want 2 accepted", got)
	}
	after := decode[struct{ Revision string }](t, r.get(t, "GET", "/v1/customers/"+demoCustomer, http.StatusOK))
	if after.Revision == before.Revision {
		t.Errorf("the customer stays at revision %s after events", after.Revision)
	}
	if got := decode[recorded](t, r.post(t, visit+","+doubt, http.StatusOK)); got != (recorded{0, 2}) {
		t.Errorf("the same batch again: %+v, want 2 duplicates", got)
	}
	if body := r.post(t, fresh+","+another, http.StatusBadRequest); !strings.Contains(body, "EVENT_ID_REUSED") || !strings.Contains(body, "events[1].eventId") {
		t.Errorf("an id that is taken: %s", body)
	}
	if body := r.post(t, strings.ReplaceAll(fresh, demoCustomer, "NOBODY"), http.StatusNotFound); !strings.Contains(body, "CUSTOMER_NOT_FOUND") {
		t.Errorf("an unknown customer: %s", body)
	}
	if body := r.post(t, visit+","+strings.ReplaceAll(fresh, "CLICK", "BUY"), http.StatusBadRequest); !strings.Contains(body, "events[1].kind") {
		t.Errorf("an unknown kind: %s", body)
	}

	r.kill(t)
	r = w.serve("--store", "sqlite:bank.db")
	if got := decode[recorded](t, r.post(t, fresh+","+doubt+","+visit, http.StatusOK)); got != (recorded{1, 2}) {
		t.Errorf("after the kill: %+v, want the two that were there and one that was refused before", got)
	}
	r.get(t, "GET", "/v1/customers/"+demoCustomer, http.StatusOK)
	checkWhole(t, new(decode[list](t, r.get(t, "GET", "/v1/customers/"+demoCustomer+"/recommendations?limit=5&explain=true", http.StatusOK))))
	r.stop(t)
}
