package dataset

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzProducts(f *testing.F) {
	f.Add([]byte(someProducts))
	f.Add([]byte("product_code,name,product_type,risk_grade,subscription_ladder,redemption_ladder,themes,pool_from,note\r\n1,\"A\"\"\n\",B,R1,100:150;:1000f,7:150;:0,a b,2020-01-01,x\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) { readsWhatItWrites(t, productFormat(), data) })
}

func FuzzMarket(f *testing.F) {
	f.Add([]byte(navHeader + "1,2020-01-02,1.0530,1\n"))
	f.Add([]byte("date,open\n2020-01-02,true\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readsWhatItWrites(t, navFormat(), data)
		readsWhatItWrites(t, calendarFormat(), data)
	})
}

func FuzzCustomers(f *testing.F) {
	f.Add([]byte(someCustomers))
	f.Add([]byte("customer_id,investor_type,risk_level,risk_assessed_on,goals,note\nc1,ORDINARY,C3,2020-03-05,CASH HOUSE,x\n"))
	f.Add([]byte("customer_id,assessed_at,risk_level\nc1,2020-01-02T00:00:00.5Z,C1\n"))
	f.Add([]byte("customer_id,purpose,granted,event_at\nc1,P,true,2020-01-02T00:00:00+08:00\n"))
	f.Add([]byte("customer_id,view,feature,value,event_at,purpose\nc1,v,n,0.50,2020-01-02T00:00:00Z,P\nc1,v,m,\"[\"\"a\"\"]\",2020-01-02T00:00:00Z,\n"))
	f.Add([]byte("customer_id,name,value,event_at,valid_to\nc1,n,v,2020-01-02T00:00:00Z,2021-01-02T00:00:00Z\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readsWhatItWrites(t, customerFormat(), data)
		readsWhatItWrites(t, assessmentFormat(), data)
		readsWhatItWrites(t, consentFormat(), data)
		readsWhatItWrites(t, tagFormat(), data)
		readsWhatItWrites(t, featureFormat(), data)
	})
}

func FuzzDealings(f *testing.F) {
	f.Add([]byte("customer_id,product_code,shares,acquired_on,cost_fen\nc1,p1,10.5,2020-01-02,7\n"))
	f.Add([]byte("customer_id,product_code,known_on,kind,amount_fen\nc1,p1,2020-01-02,,7\n"))
	f.Add([]byte("event_id,customer_id,kind,event_at,attributes\ne1,c1,CLICK,2020-01-02T00:00:00Z,\"{\"\"a\"\":1}\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readsWhatItWrites(t, holdingFormat(), data)
		readsWhatItWrites(t, interactionFormat(), data)
		readsWhatItWrites(t, eventFormat(), data)
	})
}

func FuzzStaff(f *testing.F) {
	f.Add([]byte("manager_id,branch_id,licence_until\nm1,b1,2030-01-01\n"))
	f.Add([]byte("branch_id,name,parent_id\nb1,A,b0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readsWhatItWrites(t, managerFormat(), data)
		readsWhatItWrites(t, branchFormat(), data)
	})
}

func FuzzGzip(f *testing.F) {
	f.Add(packed(f, navHeader+"1,2020-01-02,1.0530,1\n"))
	f.Add(packed(f, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			t.Skip("what it unpacks to takes long to read")
		}
		_, errs := drain("nav.csv.gz", newGunzip(bytes.NewReader(data)))
		checkErrors(t, errs)
	})
}

// readsWhatItWrites reads any bytes: every error says where it is and fits a line, and
// the good rows survive being written and read again.
func readsWhatItWrites[T any](t *testing.T, f *format[T], data []byte) {
	t.Helper()
	var rows []T
	var errs []error
	for v, err := range read(bytes.NewReader(data), f.name, f, nil) {
		if err != nil {
			errs = append(errs, err)
		} else {
			rows = append(rows, v)
		}
	}
	checkErrors(t, errs)
	var b bytes.Buffer
	if err := write(&b, f, slices.Values(rows)); err != nil {
		t.Fatalf("a row that was read cannot be written: %v", err)
	}
	again, err := readAll(read(&b, f.name, f, nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, again, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("rows (-first +again):\n%s", diff)
	}
	for i := range rows {
		if err := keepable(&rows[i]); err != nil {
			t.Fatalf("a row that was read cannot be stored: %v", err)
		}
	}
}

func checkErrors(t *testing.T, errs []error) {
	t.Helper()
	for _, err := range errs {
		e, ok := errors.AsType[*Error](err)
		if !ok || e.File == "" || e.Expected == "" || len(e.Value) > maxErrorValue+3 || len(e.raw) > maxRaw+3 || strings.ContainsAny(e.Error(), "\r\n") {
			t.Fatalf("error %q (%+v) does not say what it should", err, e)
		}
	}
}
