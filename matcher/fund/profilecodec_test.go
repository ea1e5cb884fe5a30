package fund_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// fullProfile has every field set.
func fullProfile() *fund.Profile {
	p := &fund.Profile{
		CustomerID: "c1", Revision: 300,
		Person: fund.Person{
			InvestorType: fund.Ordinary, Professional: fund.Professional{Class: "P", Until: 20250101, ElectsOrdinary: fund.No},
			BirthDate: 19800229, Capacity: fund.FullCapacity, IsLowestClass: fund.No,
			Qualified: fund.Qualified{Class: "A", Until: 20250101}, Pension: fund.Yes, OpenChecks: fund.CheckAML,
			Industry: "IT", Segment: "S", BranchID: "B", ManagerID: "M", AUM: 5, Income: 6,
		},
		Assessment:     fund.Assessment{Level: fund.C3, On: 20240229, At: 7, Questionnaire: "Q", Channel: "APP"},
		PredictedLevel: fund.C2,
		Needs:          fund.StatedNeeds{Goals: []fund.Goal{fund.Growth, fund.Cash}, HorizonMonths: 36, Liquidity: fund.NeedLow}, Personalization: fund.Yes,
		Tags:       []fund.Tag{{Name: "n", Value: "v", From: 1, To: 2, Source: "s", Purpose: "p"}},
		Lots:       []fund.Lot{{ProductCode: "L", Shares: 8, AcquiredOn: 20200101, Cost: 9, Account: "a", BatchID: "b"}},
		Purchases:  []fund.Purchase{{ProductCode: "L", KnownOn: 20200101, Kind: "BUY", Amount: 10}},
		Attributes: []fund.Attribute{{Name: "x", Value: "y"}},
		Consents:   []fund.Consent{{Purpose: "C", Granted: true, At: 7}},

		Assessments: []fund.Assessed{{At: 5, Level: fund.C2}, {At: 7, Level: fund.C3}},
	}
	p.Trail.Recent = []fund.Event{
		{Kind: fund.Refusal, At: 7, ProductCode: "L", Channel: "APP", About: "FEE", Until: 20200101, Amount: 1, Cost: 2, Dwell: 3, Closed: true},
		{Kind: fund.Contact, At: 9},
	}
	p.Trail.Tallies[fund.Refusal] = fund.Tally{Count: 1, First: 7, Last: 7, Amount: 1}
	p.Trail.Tallies[fund.Contact] = fund.Tally{Count: 2, First: 8, Last: 9}
	return p
}

// The bytes of fullProfile that the last program of version 1 wrote, without its first
// byte: written down from that program, not from this one.
const bodyOfVersionOne = "026331ac02010150eaf7a71301ca82f112010102495401530142014d0a0c03cadda6130e015103415050" +
	"0202030148010201016e017602040173017001014c10caeaa113120161016201014ccaeaa11303425559140101780179"

func versionOne() []byte { return unhex("01" + bodyOfVersionOne) }

func unhex(s string) []byte {
	b, _ := hex.DecodeString(s)
	return b
}

// Decision records keep profiles for twenty years (C06): those of version 1 are read, as
// of customers without consents and events.
func TestProfilesOfVersionOneAreRead(t *testing.T) {
	want := fullProfile()
	want.Consents, want.Trail = nil, fund.Trail{}
	withoutVersionThree(want)
	got, err := fund.ParseProfile(versionOne())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := fund.ParseProfile(append(versionOne(), 0)); !errors.Is(err, fund.ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
}

// withoutVersionThree takes away what profiles of before version 3 do not know.
func withoutVersionThree(p *fund.Profile) {
	p.Person.Qualified, p.Person.Pension, p.Person.OpenChecks, p.Assessments = fund.Qualified{}, fund.Unknown, 0, nil
}

// The bytes that the last program of version 2 wrote after those of version 1.
const tailOfVersionTwo = "01" + "0143" + "01" + "0e" + // a consent
	"02" + "09" + "0e" + "014c" + "03415050" + "03464545" + "caeaa113" + "02" + "04" + "06" + "01" + // a refusal
	"0c" + "04" + "00" + "00" + "00" + "00" + "00" + "00" + "00" + "00" + // a contact, two microseconds later
	"000000000000000000" + "020e0e02" + "0000" + "04101200" // tallies of 9, of REFUSAL, of 2, of CONTACT

// Profiles of version 2 are read as of customers of whom nothing that came later is known.
func TestProfilesOfVersionTwoAreRead(t *testing.T) {
	want := fullProfile()
	withoutVersionThree(want)
	old := unhex("02" + bodyOfVersionOne + tailOfVersionTwo)
	got, err := fund.ParseProfile(old)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := fund.ParseProfile(append(old, 0)); !errors.Is(err, fund.ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
}

// The bytes are what heads and decision records hold: they may not change without a new
// version byte.
func TestProfileBytesOfVersionThree(t *testing.T) {
	const want = "03" + bodyOfVersionOne + tailOfVersionTwo +
		"0141" + "eaf7a713" + "02" + "02" + // the proof, the pension account, the open check
		"02" + "0a02" + "0403" // two assessments, two microseconds apart
	got := fund.AppendProfile(nil, fullProfile())
	if hex.EncodeToString(got) != want {
		t.Fatalf("bytes\n%x, want\n%s", got, want)
	}
	back, err := fund.ParseProfile(got)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(fullProfile(), back); d != "" {
		t.Errorf("read back (-written +read):\n%s", d)
	}
}

// The limits of lists hold at the limit and one past it.
func TestLimitsOfConsentsAndTrails(t *testing.T) {
	for _, c := range []struct {
		what                       string
		consents, events, assessed int
		want                       error
	}{
		{"the most", fund.MaxConsents, fund.MaxTrail, fund.MaxAssessed, nil},
		{"a consent too many", fund.MaxConsents + 1, 0, 0, fund.ErrMalformed},
		{"an event too many", 0, fund.MaxTrail + 1, 0, fund.ErrMalformed},
		{"an assessment too many", 0, 0, fund.MaxAssessed + 1, fund.ErrMalformed},
	} {
		p := &fund.Profile{Consents: make([]fund.Consent, c.consents), Assessments: make([]fund.Assessed, c.assessed)}
		p.Trail.Recent = slices.Repeat([]fund.Event{{Kind: fund.Click, At: 5}}, c.events)
		got, err := fund.ParseProfile(fund.AppendProfile(nil, p))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.what, err, c.want)
		}
		if c.want == nil && (len(got.Consents) != c.consents || len(got.Trail.Recent) != c.events || len(got.Assessments) != c.assessed) {
			t.Errorf("%s: %d consents and %d events are read", c.what, len(got.Consents), len(got.Trail.Recent))
		}
	}
}

// Codes that no program writes are refused: an event of an unknown kind, a flag of 2.
func TestTrailsWithUnknownCodesAreRefused(t *testing.T) {
	tail := func(s string) []byte { return unhex("02" + bodyOfVersionOne + s) }
	none := "00000000000000000000000000"
	if _, err := fund.ParseProfile(tail("00" + "00" + none)); err != nil {
		t.Fatalf("an empty trail: %v", err)
	}
	for name, b := range map[string][]byte{
		"a consent of 2":    tail("01" + "0143" + "02" + "0e" + "00" + none),
		"an unknown kind":   tail("00" + "01" + "0d" + "0e" + "0000000000000000" + none),
		"closed twice":      tail("00" + "01" + "09" + "0e" + "00000000000000" + "02" + none),
		"an impossible day": tail("00" + "01" + "09" + "0e" + "000000" + "02" + "00000000" + none),
		"a tally missing":   tail("00" + "00" + none[2:]),
	} {
		if _, err := fund.ParseProfile(b); !errors.Is(err, fund.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Codes that version 3 does not know are refused.
func TestStandingsWithUnknownCodesAreRefused(t *testing.T) {
	tail := func(s string) []byte { return unhex("03" + bodyOfVersionOne + tailOfVersionTwo + s) }
	if _, err := fund.ParseProfile(tail("00" + "00" + "00" + "00" + "00")); err != nil {
		t.Fatalf("nothing known: %v", err)
	}
	for name, b := range map[string][]byte{
		"an impossible day":  tail("00" + "02" + "00" + "00" + "00"),
		"a third answer":     tail("00" + "00" + "03" + "00" + "00"),
		"a third check":      tail("00" + "00" + "00" + "04" + "00"),
		"a sixth level":      tail("00" + "00" + "00" + "00" + "01" + "02" + "06"),
		"an entry missing":   tail("00" + "00" + "00" + "00" + "02" + "02" + "01"),
		"nothing of it":      tail(""),
		"more than it holds": tail("00" + "00" + "00" + "00" + "00" + "00"),
	} {
		if _, err := fund.ParseProfile(b); !errors.Is(err, fund.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is drawn comes back as it was.
func TestStandingsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &fund.Profile{CustomerID: "c"}
		want.Person.Qualified.Class = rapid.StringN(0, 20, -1).Draw(t, "class")
		want.Person.Pension = fund.Answer(rapid.IntRange(0, 2).Draw(t, "pension"))
		want.Person.OpenChecks = fund.Checks(rapid.IntRange(0, 3).Draw(t, "checks"))
		for range rapid.IntRange(0, fund.MaxAssessed).Draw(t, "assessments") {
			want.Assessments = append(want.Assessments, fund.Assessed{
				At: fund.Instant(rapid.Int64Range(0, 1<<53).Draw(t, "at")), Level: fund.RiskLevel(rapid.IntRange(0, 5).Draw(t, "level")),
			})
		}
		got, err := fund.ParseProfile(fund.AppendProfile(nil, want))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	})
}

func TestChecksAreWords(t *testing.T) {
	for text, want := range map[string]fund.Checks{
		"": 0, "KYC": fund.CheckKYC, "AML": fund.CheckAML, "KYC AML": fund.CheckKYC | fund.CheckAML, "AML KYC": fund.CheckKYC | fund.CheckAML,
	} {
		got, err := fund.ParseChecks(text)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
		if back, err := fund.ParseChecks(got.String()); err != nil || back != got {
			t.Errorf("%q is written as %q and read as %v, %v", text, got, back, err)
		}
	}
	if got := (fund.CheckAML | fund.CheckKYC).String(); got != "KYC AML" {
		t.Errorf("both are %q", got)
	}
	for _, text := range []string{"PEP", "kyc", "KYC PEP", " KYC", "KYC  AML", "KYC KYC", "KYC,AML"} {
		if got, err := fund.ParseChecks(text); !errors.Is(err, fund.ErrInvalid) || got != 0 {
			t.Errorf("%q: %v, %v, want ErrInvalid", text, got, err)
		}
	}
	if _, err := fund.ParseChecks("KYC PEP"); err == nil || !strings.Contains(err.Error(), `"PEP"`) {
		t.Errorf("%v does not name the word", err)
	}
}
