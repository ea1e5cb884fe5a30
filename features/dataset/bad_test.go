package dataset

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fundmatch/fundmatch/features"
	"github.com/fundmatch/fundmatch/matcher/fund"
)

// drain reads a file of any format to its end and returns the rows' number and errors.
func drain(name string, in io.Reader) (rows int, errs []error) {
	switch strings.TrimSuffix(name, ".gz") {
	case "products.csv":
		return drainRows(in, name, productFormat())
	case "nav.csv":
		return drainRows(in, name, navFormat())
	case "customers.csv":
		return drainRows(in, name, customerFormat())
	case "assessments.csv":
		return drainRows(in, name, assessmentFormat())
	case "consents.csv":
		return drainRows(in, name, consentFormat())
	case "tags.csv":
		return drainRows(in, name, tagFormat())
	case "features.csv":
		return drainRows(in, name, featureFormat())
	case "holdings.csv":
		return drainRows(in, name, holdingFormat())
	case "interactions.csv":
		return drainRows(in, name, interactionFormat())
	case "events.csv":
		return drainRows(in, name, eventFormat())
	case "managers.csv":
		return drainRows(in, name, managerFormat())
	case "branches.csv":
		return drainRows(in, name, branchFormat())
	default:
		return drainRows(in, name, calendarFormat())
	}
}

func drainRows[T any](in io.Reader, name string, f *format[T]) (rows int, errs []error) {
	for v, err := range read(in, name, f, nil) {
		if err == nil {
			err = keepable(&v)
		}
		if err != nil {
			errs = append(errs, err)
		} else {
			rows++
		}
	}
	return rows, errs
}

// keepable reports whether a store takes the row: what a reader takes, it must.
func keepable(row any) error {
	switch v := row.(type) {
	case *fund.Product:
		return features.CheckProduct(v)
	case *NAVRow:
		return features.CheckNAV(v.ProductCode, v.NAV)
	case interface{ Check() error }:
		return v.Check()
	case interface {
		AppendCells([]features.Cell) []features.Cell
	}:
		for _, c := range v.AppendCells(nil) {
			if err := c.CheckImported(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Every way in which a file can be bad, and the very words that say so.
func TestBadInput(t *testing.T) {
	const (
		products     = "product_code,name,product_type,risk_grade"
		nav          = "product_code,nav_date,unit_nav,accum_nav\n"
		customers    = "customer_id,investor_type,risk_level"
		assessments  = "customer_id,assessed_at,risk_level\n"
		consents     = "customer_id,purpose,granted,event_at\n"
		own          = "customer_id,view,feature,value,event_at\n"
		tags         = "customer_id,name,value,event_at,known_at,valid_to\n"
		holdings     = "customer_id,product_code,shares,acquired_on,cost_fen,account,batch_id\n"
		interactions = "customer_id,product_code,known_on,kind,amount_fen\n"
		events       = "event_id,customer_id,kind,event_at,product_code,attributes\n"
		id           = "an id: 1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit"
		price        = "yuan a share, a decimal number from 0.0001 to 1000000"
		fen          = "fen, a whole number from 0 to 1000000000000000"
		columnName   = "a name of 1 to 64 bytes of UTF-8 without control characters or space around it"
		entryLadder  = "a ladder such as 100000000:150;500000000:100;:100000f whose bounds rise and whose last step has none"
		exitLadder   = "a ladder such as 7:150;30:100;:0 whose bounds rise and whose last step has none"
		shares       = "shares, a number from 0 to 100000000000 of at most 4 decimal places"
		word         = "a code of A-Z 0-9 _ that begins with a letter, such as BUY"
		eventKind    = "one of EXPOSURE CLICK DETAIL_VIEW OBJECTION EVIDENCE_OPEN ORDER_START ORDER_CONFIRM ORDER_ABANDON REFUSAL REDEEM COMPLAINT CONTACT"
		unique       = "a key that no row before has"
	)
	tests := []struct{ name, file, text, want string }{
		// The file's shape.
		{"empty file", "products.csv", "", `products.csv:1: the file is empty, expected a header`},
		{"UTF-8 BOM", "products.csv", "\xef\xbb\xbf" + products + "\n", `products.csv:1: a byte order mark (UTF-8 BOM) before the header, expected UTF-8 without a byte order mark`},
		{"UTF-16 BOM", "products.csv", "\xff\xfep\x00r\x00", `products.csv:1: a byte order mark (UTF-16 BOM) before the header, expected UTF-8 without a byte order mark`},
		{"missing required column", "products.csv", "product_code,name,product_type\n1,A,B\n", `products.csv:1:risk_grade: column is missing, expected the columns product_code name product_type risk_grade`},
		{"duplicate header", "products.csv", products + ",name\n", `products.csv:1:name: column comes twice, expected different columns`},
		{"column without a name", "products.csv", products + ",\n", `products.csv:1:column 5: "", expected ` + columnName},
		{"space around a column", "products.csv", products + ", kind\n", `products.csv:1:column 5: " kind", expected ` + columnName},
		{"header not UTF-8", "products.csv", products + ",\xb2\xfa\n", `products.csv:1:column 5: "\xb2\xfa", expected ` + columnName},
		{"257 columns", "products.csv", products + strings.Repeat(",x", 253) + "\n", `products.csv:1: 257 columns, expected at most 256`},
		{"65 attributes", "customers.csv", customers + numbered(65) + "\n", `customers.csv:1: 65 columns that the format does not know, expected at most 64`},
		{"too few fields", "products.csv", products + "\n000001,A,B\n", `products.csv:2: 3 fields, expected 4 fields as in the header`},
		{"too many fields", "products.csv", products + "\n000001,A,B,R1,C\n", `products.csv:2: 5 fields, expected 4 fields as in the header`},
		{"empty line", "products.csv", products + "\n000001,A,B,R1\n\n", `products.csv:3: an empty line, expected 4 fields as in the header`},
		{"quote within a field", "products.csv", products + "\n000001,A\"B,C,R1\n", `products.csv:2: a quote within a field that is not quoted, expected fields as RFC 4180 has them`},
		{"text after a quote", "products.csv", products + "\n000001,\"A\"B,C,R1\n", `products.csv:2: text after a closing quote, expected fields as RFC 4180 has them`},
		{"quote that never closes", "products.csv", products + "\n000001,\"A,B,R1\n000002,A,B,R1\n", `products.csv:2: a quoted field that does not end, expected a closing quote within 1048576 bytes`},
		{"quote that closes too late", "products.csv", products + "\n1,\"" + strings.Repeat("a\n", MaxLine/2) + "\",B,R1\n", `products.csv:2: a quoted field that does not end, expected a closing quote within 1048576 bytes`},
		{"quote open in a line too long", "products.csv", products + "\n1,\"\n" + strings.Repeat("a", 2*MaxLine) + "\",B,R1\n", `products.csv:2: a quoted field that does not end, expected a closing quote within 1048576 bytes`},
		{"lone carriage return", "products.csv", products + "\n000001,A\rB,C,R1\n", `products.csv:2: a carriage return without a line feed, expected fields as RFC 4180 has them`},
		{"lone carriage return beside quotes", "products.csv", products + "\n000001,\"A\",C\r,R1\n", `products.csv:2: a carriage return without a line feed, expected fields as RFC 4180 has them`},
		{"carriage returns as line ends", "products.csv", products + "\r000001,A,B,R1\r", `products.csv:1: a carriage return without a line feed, expected fields as RFC 4180 has them`},
		{"not UTF-8", "products.csv", products + "\n000001,\xbb\xaa\xcf\xc4,C,R1\n", `products.csv:2:name: "\xbb\xaa\xcf\xc4", expected UTF-8`},
		{"not UTF-8 behind a quoted line end", "products.csv", products + "\n000001,\"A\n\xbb\",C,R1\n", `products.csv:2:name: "A\n\xbb", expected UTF-8`},
		{"character cut by a comma", "products.csv", products + "\n000001,\xe5\x8d,\x8e,R1\n", `products.csv:2:name: "\xe5\x8d", expected UTF-8`},
		{"line too long", "products.csv", products + "\n000001," + strings.Repeat("a", MaxLine) + "\n", `products.csv:2: a line of more than 1048576 bytes, expected at most so many`},
		{"field too long", "products.csv", products + ",note\n000001,A,B,R1," + strings.Repeat("a", MaxField+1) + "\n", `products.csv:2:note: "` + strings.Repeat("a", 80) + `...", expected a field of at most 65536 bytes`},
		{"line counted over quoted lines", "products.csv", products + ",note\n1,A,B,R1,\"a\nb\"\n2,A,B,R6,\n", `products.csv:4:risk_grade: "R6", expected R1 to R5`},

		// Products.
		{"grade R6", "products.csv", products + "\n000001,A,B,R6\n", `products.csv:2:risk_grade: "R6", expected R1 to R5`},
		{"no grade", "products.csv", products + "\n000001,A,B,\n", `products.csv:2:risk_grade: "", expected R1 to R5`},
		{"issuer's grade in lower case", "products.csv", products + ",issuer_risk_grade\n000001,A,B,R1,r2\n", `products.csv:2:issuer_risk_grade: "r2", expected R1 to R5`},
		{"no code", "products.csv", products + "\n,A,B,R1\n", `products.csv:2:product_code: "", expected ` + id},
		{"code with a space", "products.csv", products + "\n00 01,A,B,R1\n", `products.csv:2:product_code: "00 01", expected ` + id},
		{"code of 65", "products.csv", products + "\n" + strings.Repeat("1", 65) + ",A,B,R1\n", `products.csv:2:product_code: "` + strings.Repeat("1", 65) + `", expected ` + id},
		{"name too long", "products.csv", products + "\n000001," + strings.Repeat("华", 257) + ",B,R1\n", `products.csv:2:name: "` + strings.Repeat("华", 26) + `...", expected at most 256 characters`},
		{"control character", "products.csv", products + "\n000001,A\x00B,C,R1\n", `products.csv:2:name: "A\x00B", expected a text without control characters`},
		{"unknown kind", "products.csv", products + ",kind\n1,A,B,R1,FUND\n", `products.csv:2:kind: "FUND", expected one of PUBLIC_FUND OWN PRIVATE TRUST ASSET_MANAGEMENT PENSION INSURANCE`},
		{"unknown status", "products.csv", products + ",status\n1,A,B,R1,open\n", `products.csv:2:status: "open", expected one of SUBSCRIPTION OPEN LIMITED CLOSED SUSPENDED`},
		{"date that does not exist", "products.csv", products + ",launched_on\n1,A,B,R1,2023-02-29\n", `products.csv:2:launched_on: "2023-02-29", expected a date YYYY-MM-DD of 1900 to 2199`},
		{"date in another form", "products.csv", products + ",launched_on\n1,A,B,R1,2023/02/28\n", `products.csv:2:launched_on: "2023/02/28", expected a date YYYY-MM-DD of 1900 to 2199`},
		{"empty pool period", "products.csv", products + ",pool_from,pool_to\n1,A,B,R1,2023-02-02,2023-02-02\n", `products.csv:2:pool_to: "2023-02-02", expected a date after pool_from 2023-02-02`},
		{"negative money", "products.csv", products + ",min_purchase_fen\n1,A,B,R1,-1\n", `products.csv:2:min_purchase_fen: "-1", expected ` + fen},
		{"money in yuan", "products.csv", products + ",day_limit_fen\n1,A,B,R1,10.00\n", `products.csv:2:day_limit_fen: "10.00", expected ` + fen},
		{"money beyond the limit", "products.csv", products + ",size_fen\n1,A,B,R1,1000000000000001\n", `products.csv:2:size_fen: "1000000000000001", expected ` + fen},
		{"money beyond 64 bits", "products.csv", products + ",size_fen\n1,A,B,R1,99999999999999999999\n", `products.csv:2:size_fen: "99999999999999999999", expected ` + fen},
		{"lockup", "products.csv", products + ",lockup_days\n1,A,B,R1,36526\n", `products.csv:2:lockup_days: "36526", expected days, a whole number from 0 to 36525`},
		{"rate as a percentage", "products.csv", products + ",management_bps\n1,A,B,R1,1.5%\n", `products.csv:2:management_bps: "1.5%", expected basis points, a whole number from 0 to 2000`},
		{"discount", "products.csv", products + ",discount_pct\n1,A,B,R1,101\n", `products.csv:2:discount_pct: "101", expected percent taken off the subscription fee, a whole number from 0 to 100`},
		{"subscription ladder", "products.csv", products + ",subscription_ladder\n1,A,B,R1,100:150;50:100;:0\n", `products.csv:2:subscription_ladder: "100:150;50:100;:0", expected ` + entryLadder},
		{"redemption ladder", "products.csv", products + ",redemption_ladder\n1,A,B,R1,7:150\n", `products.csv:2:redemption_ladder: "7:150", expected ` + exitLadder},
		{"unknown goal", "products.csv", products + ",goals\n1,A,B,R1,CASH RICHES\n", `products.csv:2:goals: "CASH RICHES", expected different goals, one of CASH STEADY_INCOME GROWTH EDUCATION RETIREMENT INFLATION HOUSE TAX_DEFERRED_PENSION TREASURY`},
		{"theme twice", "products.csv", products + ",themes\n1,A,B,R1,医药 医药\n", `products.csv:2:themes: "医药 医药", expected at most 64 different words`},
		{"65 themes", "products.csv", products + ",themes\n1,A,B,R1,a" + strings.ReplaceAll(numbered(64), ",", " ") + "\n", `products.csv:2:themes: "a` + strings.ReplaceAll(numbered(64), ",", " ")[:79] + `...", expected at most 64 different words`},
		{"attribute too long", "products.csv", products + ",note\n1,A,B,R1," + strings.Repeat("a", 4097) + "\n", `products.csv:2:note: "` + strings.Repeat("a", 80) + `...", expected at most 4096 characters`},
		{"customer's attribute too long", "customers.csv", customers + ",note\nc1,ORDINARY,C1," + strings.Repeat("华", 257) + "\n", `customers.csv:2:note: "` + strings.Repeat("华", 26) + `...", expected at most 256 characters`},
		{"tag's name too long", "tags.csv", tags + "c1," + strings.Repeat("n", 257) + ",v,2020-01-02T10:00:00Z,,\n", `tags.csv:2:name: "` + strings.Repeat("n", 80) + `...", expected at most 256 bytes`},
		{"account too long", "holdings.csv", holdings + "c1,p1,1,2020-01-02,," + strings.Repeat("a", 129) + ",\n", `holdings.csv:2:account: "` + strings.Repeat("a", 80) + `...", expected at most 128 bytes`},
		{"attribute with a control character", "products.csv", products + ",note\n1,A,B,R1,\x1b[31m\n", `products.csv:2:note: "\x1b[31m", expected a text without control characters`},
		{"product twice", "products.csv", products + "\n1,A,B,R1\n1,A,B,R1\n", `products.csv:3:product_code: "1", expected ` + unique},

		// NAVs.
		{"NAV of 0", "nav.csv", nav + "1,2020-01-02,0,1\n", `nav.csv:2:unit_nav: "0", expected ` + price},
		{"negative NAV", "nav.csv", nav + "1,2020-01-02,1,-1\n", `nav.csv:2:accum_nav: "-1", expected ` + price},
		{"no NAV", "nav.csv", nav + "1,2020-01-02,1,\n", `nav.csv:2:accum_nav: "", expected ` + price},
		{"NaN", "nav.csv", nav + "1,2020-01-02,NaN,1\n", `nav.csv:2:unit_nav: "NaN", expected ` + price},
		{"infinity", "nav.csv", nav + "1,2020-01-02,Inf,1\n", `nav.csv:2:unit_nav: "Inf", expected ` + price},
		{"exponent", "nav.csv", nav + "1,2020-01-02,1e3,1\n", `nav.csv:2:unit_nav: "1e3", expected ` + price},
		{"absurd NAV", "nav.csv", nav + "1,2020-01-02,1000000.1,1\n", `nav.csv:2:unit_nav: "1000000.1", expected ` + price},
		{"absurdly small NAV", "nav.csv", nav + "1,2020-01-02,0.00009,1\n", `nav.csv:2:unit_nav: "0.00009", expected ` + price},
		{"NAV without a day", "nav.csv", nav + "1,,1,1\n", `nav.csv:2:nav_date: "", expected a date YYYY-MM-DD after 1970-01-01`},
		{"NAV of before funds", "nav.csv", nav + "1,1970-01-01,1,1\n", `nav.csv:2:nav_date: "1970-01-01", expected a date after 1970-01-01`},
		{"NAV twice", "nav.csv", nav + "1,2020-12-31,1,1\n2,2020-12-31,1,1\n1,2020-12-31,2,2\n", `nav.csv:4:product_code,nav_date: "1,2020-12-31", expected ` + unique},
		{"gzip's name in the error", "nav.csv.gz", nav + "1,2020-01-02,0,1\n", `nav.csv.gz:2:unit_nav: "0", expected ` + price},

		// Customers.
		{"level C6", "customers.csv", customers + "\nc1,ORDINARY,C6\n", `customers.csv:2:risk_level: "C6", expected C1 to C5`},
		{"investor type", "customers.csv", customers + "\nc1,RETAIL,C1\n", `customers.csv:2:investor_type: "RETAIL", expected one of ORDINARY PROFESSIONAL`},
		{"level's source", "customers.csv", customers + ",risk_level_source\nc1,ORDINARY,C1,GUESSED\n", `customers.csv:2:risk_level_source: "GUESSED", expected one of ASSESSED PREDICTED`},
		{"capacity", "customers.csv", customers + ",capacity\nc1,ORDINARY,C1,HALF\n", `customers.csv:2:capacity: "HALF", expected one of FULL LIMITED NONE`},
		{"assessed before stores' time", "customers.csv", customers + ",risk_assessed_on\nc1,ORDINARY,C1,1969-12-31\n", `customers.csv:2:risk_assessed_on: "1969-12-31", expected a date after 1970-01-01`},
		{"yes in place of true", "customers.csv", customers + ",personalization\nc1,ORDINARY,C1,yes\n", `customers.csv:2:personalization: "yes", expected true or false`},
		{"horizon", "customers.csv", customers + ",horizon_months\nc1,ORDINARY,C1,601\n", `customers.csv:2:horizon_months: "601", expected months, a whole number from 0 to 600`},
		{"liquidity need", "customers.csv", customers + ",liquidity_need\nc1,ORDINARY,C1,SOON\n", `customers.csv:2:liquidity_need: "SOON", expected one of LOW MEDIUM HIGH`},
		{"negative wealth", "customers.csv", customers + ",aum_fen\nc1,ORDINARY,C1,-5\n", `customers.csv:2:aum_fen: "-5", expected ` + fen},
		{"branch", "customers.csv", customers + ",branch_id\nc1,ORDINARY,C1,分行\n", `customers.csv:2:branch_id: "分行", expected ` + id},
		{"an unknown check", "customers.csv", customers + ",open_checks\nc1,ORDINARY,C1,PEP\n", `customers.csv:2:open_checks: "PEP", expected words of KYC AML, each once, separated by single spaces, or NONE`},
		{"a check twice", "customers.csv", customers + ",open_checks\nc1,ORDINARY,C1,KYC KYC\n", `customers.csv:2:open_checks: "KYC KYC", expected words of KYC AML, each once, separated by single spaces, or NONE`},
		{"checks apart by two spaces", "customers.csv", customers + ",open_checks\nc1,ORDINARY,C1,KYC  AML\n", `customers.csv:2:open_checks: "KYC  AML", expected words of KYC AML, each once, separated by single spaces, or NONE`},
		{"checks in lower case", "customers.csv", customers + ",open_checks\nc1,ORDINARY,C1,kyc\n", `customers.csv:2:open_checks: "kyc", expected words of KYC AML, each once, separated by single spaces, or NONE`},
		{"none and a check", "customers.csv", customers + ",open_checks\nc1,ORDINARY,C1,NONE KYC\n", `customers.csv:2:open_checks: "NONE KYC", expected words of KYC AML, each once, separated by single spaces, or NONE`},
		{"pension account", "customers.csv", customers + ",pension_account\nc1,ORDINARY,C1,Y\n", `customers.csv:2:pension_account: "Y", expected true or false`},
		{"end of a proof", "customers.csv", customers + ",qualified_until\nc1,ORDINARY,C1,2026-02-30\n", `customers.csv:2:qualified_until: "2026-02-30", expected a date YYYY-MM-DD of 1900 to 2199`},
		{"customer twice", "customers.csv", customers + "\nc1,ORDINARY,C1\nc1,ORDINARY,C2\n", `customers.csv:3:customer_id: "c1", expected ` + unique},

		// What belongs to a customer.
		{"time without a zone", "assessments.csv", assessments + "c1,2020-01-02T10:00:00,C1\n", `assessments.csv:2:assessed_at: "2020-01-02T10:00:00", expected a time such as 2020-06-01T10:00:00+08:00`},
		{"assessment without a level", "assessments.csv", assessments + "c1,2020-01-02T10:00:00Z,\n", `assessments.csv:2:risk_level: "", expected C1 to C5`},
		{"assessment twice, in two zones", "assessments.csv", assessments + "c1,2020-01-02T10:00:00Z,C1\nc1,2020-01-02T18:00:00+08:00,C2\n", `assessments.csv:3:customer_id,assessed_at: "c1,2020-01-02T18:00:00+08:00", expected ` + unique},
		{"consent neither given nor refused", "consents.csv", consents + "c1,MARKETING,,2020-01-02T10:00:00Z\n", `consents.csv:2:granted: "", expected true or false`},
		{"consent to nothing", "consents.csv", consents + "c1,,true,2020-01-02T10:00:00Z\n", `consents.csv:2:purpose: "", expected a text`},
		{"consent twice", "consents.csv", consents + "c1,P,true,2020-01-02T10:00:00Z\nc1,P,false,2020-01-02T10:00:00Z\n", `consents.csv:3:customer_id,purpose,event_at: "c1,P,2020-01-02T10:00:00Z", expected ` + unique},
		{"feature of the profile's own view", "features.csv", own + "c1,tag,n,1,2020-01-02T10:00:00Z\n", `features.csv:2:view: "tag", expected a view of the bank's own`},
		{"feature's value without quotes", "features.csv", own + "c1,v,n,high,2020-01-02T10:00:00Z\n", `features.csv:2:value: "high", expected a JSON text, number, true, false, null, or a list of texts, at most 4096 bytes`},
		{"feature's value is an object", "features.csv", own + "c1,v,n,{},2020-01-02T10:00:00Z\n", `features.csv:2:value: "{}", expected a JSON text, number, true, false, null, or a list of texts, at most 4096 bytes`},
		{"feature's value is a list of numbers", "features.csv", own + "c1,v,n,[1],2020-01-02T10:00:00Z\n", `features.csv:2:value: "[1]", expected a JSON text, number, true, false, null, or a list of texts, at most 4096 bytes`},
		{"feature's value too long", "features.csv", own + `c1,v,n,"""` + strings.Repeat("x", features.MaxJSONLength) + `""",2020-01-02T10:00:00Z` + "\n", `features.csv:2:value: "\"` + strings.Repeat("x", 79) + `...", expected a JSON text, number, true, false, null, or a list of texts, at most 4096 bytes`},
		{"feature with a bad name", "features.csv", own + "c1,v,a b,1,2020-01-02T10:00:00Z\n", `features.csv:2:feature: "a b", expected an id: 1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit`},
		{"feature without a time", "features.csv", own + "c1,v,n,1,\n", `features.csv:2:event_at: "", expected a time such as 2020-06-01T10:00:00+08:00`},
		{"feature twice", "features.csv", own + "c1,v,n,1,2020-01-02T10:00:00Z\nc1,v,n,2,2020-01-02T18:00:00+08:00\n", `features.csv:3:customer_id,view,feature,event_at: "c1,v,n,2020-01-02T18:00:00+08:00", expected ` + unique},
		{"tag without a time", "tags.csv", tags + "c1,n,v,,,\n", `tags.csv:2:event_at: "", expected a time such as 2020-06-01T10:00:00+08:00`},
		{"tag that ends before it begins", "tags.csv", tags + "c1,n,v,2020-01-02T10:00:00Z,,2020-01-02T10:00:00Z\n", `tags.csv:2:valid_to: "2020-01-02T10:00:00Z", expected a time after event_at`},
		{"tag twice", "tags.csv", tags + "c1,n,v,2020-01-02T10:00:00Z,,\nc1,n,w,2020-01-02T10:00:00Z,,\n", `tags.csv:3:customer_id,name,event_at: "c1,n,2020-01-02T10:00:00Z", expected ` + unique},
		{"negative shares", "holdings.csv", holdings + "c1,p1,-1,2020-01-02,,,\n", `holdings.csv:2:shares: "-1", expected ` + shares},
		{"shares too fine", "holdings.csv", holdings + "c1,p1,1.00001,2020-01-02,,,\n", `holdings.csv:2:shares: "1.00001", expected ` + shares},
		{"shares without digits", "holdings.csv", holdings + "c1,p1,.,2020-01-02,,,\n", `holdings.csv:2:shares: ".", expected ` + shares},
		{"too many shares", "holdings.csv", holdings + "c1,p1,100000000000.0001,2020-01-02,,,\n", `holdings.csv:2:shares: "100000000000.0001", expected ` + shares},
		{"lot twice", "holdings.csv", holdings + "c1,p1,1,2020-01-02,,a,b\nc1,p1,2,2020-01-02,,a,b\n", `holdings.csv:3:customer_id,product_code,acquired_on,account,batch_id: "c1,p1,2020-01-02,a,b", expected ` + unique},
		{"interaction's kind", "interactions.csv", interactions + "c1,p1,2020-01-02,buy,\n", `interactions.csv:2:kind: "buy", expected ` + word},
		{"interaction without a day", "interactions.csv", interactions + "c1,p1,,,\n", `interactions.csv:2:known_on: "", expected a date YYYY-MM-DD after 1970-01-01`},
		{"interaction twice, once by default", "interactions.csv", interactions + "c1,p1,2020-01-02,,\nc1,p1,2020-01-02,BUY,5\n", `interactions.csv:3:customer_id,product_code,known_on,kind: "c1,p1,2020-01-02,BUY", expected ` + unique},
		{"event's kind", "events.csv", events + "e1,c1,,2020-01-02T10:00:00Z,,\n", `events.csv:2:kind: "", expected ` + eventKind},
		{"event of an unknown kind", "events.csv", events + "e1,c1,BOGUS,2020-01-02T10:00:00Z,,\n", `events.csv:2:kind: "BOGUS", expected ` + eventKind},
		{"event of a kind in small letters", "events.csv", events + "e1,c1,click,2020-01-02T10:00:00Z,,\n", `events.csv:2:kind: "click", expected ` + eventKind},
		{"attributes that are a list", "events.csv", events + "e1,c1,CLICK,2020-01-02T10:00:00Z,,[1]\n", `events.csv:2:attributes: "[1]", expected a JSON object of at most 16384 bytes`},
		{"attributes cut short", "events.csv", events + "e1,c1,CLICK,2020-01-02T10:00:00Z,,{\n", `events.csv:2:attributes: "{", expected a JSON object of at most 16384 bytes`},
		{"attributes too long", "events.csv", events + "e1,c1,CLICK,2020-01-02T10:00:00Z,,{" + strings.Repeat(" ", 16383) + "}\n", `events.csv:2:attributes: "{` + strings.Repeat(" ", 79) + `...", expected a JSON object of at most 16384 bytes`},
		{"event twice", "events.csv", events + "e1,c1,CLICK,2020-01-02T10:00:00Z,,\ne1,c2,CLICK,2020-01-03T10:00:00Z,,\n", `events.csv:3:event_id: "e1", expected ` + unique},
		{"manager twice", "managers.csv", "manager_id,branch_id\nm1,b1\nm1,b2\n", `managers.csv:3:manager_id: "m1", expected ` + unique},
		{"manager without a branch", "managers.csv", "manager_id,branch_id\nm1,\n", `managers.csv:2:branch_id: "", expected ` + id},
		{"branch twice", "branches.csv", "branch_id\nb1\nb1\n", `branches.csv:3:branch_id: "b1", expected ` + unique},
		{"branch under nothing", "branches.csv", "branch_id,parent_id\nb1,?\n", `branches.csv:2:parent_id: "?", expected ` + id},
		{"day twice", "calendar.csv", "date,open\n2020-01-02,true\n2020-01-02,true\n", `calendar.csv:3:date: "2020-01-02", expected ` + unique},
		{"day neither open nor closed", "calendar.csv", "date,open\n2020-01-02,\n", `calendar.csv:2:open: "", expected true or false`},
		{"no day", "calendar.csv", "date,open\n,true\n", `calendar.csv:2:date: "", expected a date YYYY-MM-DD of 1900 to 2199`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, errs := drain(tt.file, strings.NewReader(tt.text))
			if len(errs) != 1 {
				t.Fatalf("got %d errors %v, expected one", len(errs), errs)
			}
			if got := errs[0].Error(); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			if !errors.Is(errs[0], features.ErrInvalid) {
				t.Error("the error is not features.ErrInvalid")
			}
		})
	}
}

func numbered(n int) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(",x" + string(rune('A'+i/26)) + string(rune('A'+i%26)))
	}
	return b.String()
}

// What is at a limit is taken: the tests above are one past it.
func TestLimitsAreIncluded(t *testing.T) {
	tests := []struct{ name, file, text string }{
		{"64 attributes", "customers.csv", "customer_id,investor_type,risk_level" + numbered(64) + "\nc1,,C1" + strings.Repeat(",v", 64) + "\n"},
		{"256 columns", "nav.csv", "product_code,nav_date,unit_nav,accum_nav,purchase_status,redeem_status" + numbered(250) + "\n1,2020-01-02,0.0001,1000000" + strings.Repeat(",", 252) + "\n"},
		{"longest line", "nav.csv", "product_code,nav_date,unit_nav,accum_nav" + numbered(20) + "\n1,2020-01-02,1,1" + strings.Repeat(","+strings.Repeat("a", 52428), 19) + "," + strings.Repeat("a", MaxLine-16-19*52429-2) + "\n"},
		{"longest field", "nav.csv", "product_code,nav_date,unit_nav,accum_nav,note\n1,2020-01-02,1,1," + strings.Repeat("a", MaxField) + "\n"},
		{"longest texts", "products.csv", "product_code,name,product_type,risk_grade,note\n" + strings.Repeat("1", 64) + "," + strings.Repeat("华", 256) + ",,R5," + strings.Repeat("华", 4096) + "\n"},
		{"numbers", "products.csv", "product_code,name,product_type,risk_grade,size_fen,lockup_days,management_bps,discount_pct\n1,A,,R1,1000000000000000,36525,2000,100\n"},
		{"shares", "holdings.csv", "customer_id,product_code,shares,acquired_on\nc1,p1,100000000000.0000,1970-01-02\nc1,p2,0,2199-12-31\n"},
		{"attributes", "events.csv", "event_id,customer_id,kind,event_at,attributes\ne1,c1,CLICK,2020-01-02T10:00:00Z,{" + strings.Repeat(" ", 16382) + "}\n"},
		{"longest account", "holdings.csv", "customer_id,product_code,shares,acquired_on,account,batch_id\n" + strings.Repeat("c", 64) + "," + strings.Repeat("p", 64) + ",1,2020-01-02," + strings.Repeat("a", 128) + "," + strings.Repeat("b", 128) + "\n"},
		{"longest attribute of a customer", "customers.csv", "customer_id,investor_type,risk_level,note\nc1,,," + strings.Repeat("😀", 256) + "\n"},
		{"most themes and steps", "products.csv", "product_code,name,product_type,risk_grade,themes,subscription_ladder\n1,A,,R1," + strings.ReplaceAll(numbered(64), ",", " ") + "," + "1:1;2:1;3:1;4:1;5:1;6:1;7:1;8:1;9:1;10:1;11:1;12:1;13:1;14:1;15:1;:1\n"},
		{"no rows", "products.csv", "product_code,name,product_type,risk_grade"},
		{"CRLF and no end", "products.csv", "product_code,name,product_type,risk_grade\r\n1,\"A\",B,R1\r\n2,A,B,\"R1\""},
		{"NAVs that differ in one part of the key", "nav.csv", navHeader + "1,2020-01-02,1,1\n2,2020-01-02,1,1\n1,2021-01-02,1,1\n1,2020-02-02,1,1\n"},
		{"assessments", "assessments.csv", "customer_id,assessed_at,risk_level\nc1,2020-01-02T10:00:00Z,C1\nc2,2020-01-02T10:00:00Z,C1\nc1,2020-01-02T10:00:00.000001Z,C1\n"},
		{"consents", "consents.csv", "customer_id,purpose,granted,event_at\nc1,P,true,2020-01-02T10:00:00Z\nc2,P,true,2020-01-02T10:00:00Z\nc1,Q,true,2020-01-02T10:00:00Z\nc1,P,true,2020-01-02T10:00:01Z\n"},
		{"features", "features.csv", "customer_id,view,feature,value,event_at\nc1,v,n,1,2020-01-02T10:00:00Z\nc2,v,n,1,2020-01-02T10:00:00Z\nc1,w,n,,2020-01-02T10:00:00Z\nc1,v,m,true,2020-01-02T10:00:00Z\nc1,v,n,1,2020-01-02T10:00:01Z\n"},
		{"tags", "tags.csv", "customer_id,name,value,event_at\nc1,n,v,2020-01-02T10:00:00Z\nc2,n,v,2020-01-02T10:00:00Z\nc1,m,v,2020-01-02T10:00:00Z\nc1,n,v,2020-01-02T10:00:01Z\n"},
		{"lots", "holdings.csv", "customer_id,product_code,shares,acquired_on,account,batch_id\nc1,p1,1,2020-01-02,a,b\nc2,p1,1,2020-01-02,a,b\nc1,p2,1,2020-01-02,a,b\nc1,p1,1,2020-01-03,a,b\nc1,p1,1,2020-01-02,b,b\nc1,p1,1,2020-01-02,a,a\nc1,p1,1,2020-01-02,ab,\nc1,p1,1,2020-01-02,,ab\n"},
		{"interactions", "interactions.csv", "customer_id,product_code,known_on,kind\nc1,p1,2020-01-02,BUY\nc2,p1,2020-01-02,BUY\nc1,p2,2020-01-02,BUY\nc1,p1,2020-01-03,BUY\nc1,p1,2020-01-02,SELL\n"},
		{"31 December of a leap year", "nav.csv", "product_code,nav_date,unit_nav,accum_nav\n1,2020-12-31,1,1\n1,2021-01-01,1,1\n1,2020-12-30,1,1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, errs := drain(tt.file, strings.NewReader(tt.text))
			if want := strings.Count(strings.TrimSuffix(tt.text, "\n"), "\n"); rows != want || len(errs) > 0 {
				t.Fatalf("got %d rows and errors %v, expected %d rows", rows, errs, want)
			}
		})
	}
}

// A bad row does not hide the rows behind it.
func TestReadingGoesOnBehindABadRow(t *testing.T) {
	text := "product_code,nav_date,unit_nav,accum_nav\n" +
		"1,2020-01-02,0,1\n" + "1,\"2020\"-01-03,1,1\n" + "1,2020-01-04\n" + strings.Repeat("x", 3*MaxLine) + "\n" + "1,2020-01-06,1,1\n"
	rows, errs := drain("nav.csv", strings.NewReader(text))
	if rows != 1 || len(errs) != 4 {
		t.Fatalf("got %d rows and %d errors %v, expected 1 and 4", rows, len(errs), errs)
	}
	for i, err := range errs {
		if e, ok := errors.AsType[*Error](err); !ok || e.Line != i+2 {
			t.Errorf("error %d is %v, expected line %d", i, err, i+2)
		}
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// A disk that fails is no fault of the dataset's.
func TestReadErrorIsNotTheDatasets(t *testing.T) {
	gone := errors.New("input/output error")
	head := "date,open\n2020-01-02,true\n"
	for _, in := range []io.Reader{failingReader{gone}, io.MultiReader(strings.NewReader(head), failingReader{gone})} {
		_, errs := drain("calendar.csv", in)
		if len(errs) != 1 || !errors.Is(errs[0], gone) || errors.Is(errs[0], features.ErrInvalid) {
			t.Errorf("got %v, expected the reader's error and nothing else", errs)
		}
	}
}
