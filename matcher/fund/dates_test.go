package fund_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

var shanghai = time.FixedZone("CST", 8*60*60)

func dateOf(t time.Time) fund.Date {
	return fund.Date(t.Year()*10000 + int(t.Month())*100 + t.Day())
}

// Every day of three centuries, against the standard library.
func TestEveryDayAgainstTime(t *testing.T) {
	day := time.Date(1900, 1, 1, 0, 0, 0, 0, shanghai)
	number := fund.Date(19000101).DayNumber()
	for ; day.Year() <= 2199; day, number = day.AddDate(0, 0, 1), number+1 {
		d := dateOf(day)
		parsed, err := fund.ParseDate(day.Format(time.DateOnly))
		switch {
		case err != nil || parsed != d || d.String() != day.Format(time.DateOnly):
			t.Fatalf("%s is read as %s (%v)", day, parsed, err)
		case d.DayNumber() != number || fund.DateOfDay(number) != d:
			t.Fatalf("%s has number %d and day %d is %s", d, d.DayNumber(), number, fund.DateOfDay(number))
		case d.Weekday() != day.Weekday():
			t.Fatalf("%s is a %s, want %s", d, d.Weekday(), day.Weekday())
		case d.Start() != fund.InstantOf(day) || d.Start() != 0 && d.Start().Date() != d:
			t.Fatalf("%s begins at %s, want %s", d, d.Start(), day)
		case d.Start() != 1 && (d.Start()-1).Date() != 0 && (d.Start()-1).Date() != d.AddDays(-1):
			t.Fatalf("a microsecond before %s is %s", d, (d.Start() - 1).Date())
		}
	}
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{
		"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-01-00", "1899-12-31", "2200-01-01",
		"20240101", "2024/01/01", "2024-1-01", "2024-01-01 ", "２０２４-01-01", "-024-01-01", "2024-0a-01",
	} {
		if d, err := fund.ParseDate(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%q is read as %s (%v)", s, d, err)
		}
	}
	if d, err := fund.ParseDate(""); d != 0 || err != nil || d.String() != "" || d.Start() != 0 {
		t.Errorf("the empty text is %v (%v), want the unknown date", d, err)
	}
}

// A period of months never ends early: where its last day does not exist it ends on the
// first of the next month.
func TestAddMonths(t *testing.T) {
	for _, c := range []struct {
		from   fund.Date
		months int
		want   fund.Date
	}{
		{20240229, 12, 20250301},
		{20240229, 48, 20280229},
		{20230301, 12, 20240301},
		{20240131, 1, 20240301},
		{20230131, 1, 20230301},
		{20240831, 1, 20241001},
		{20241231, 2, 20250301},
		{20241115, 2, 20250115},
		{20240331, -1, 20240301},
		{20240115, -1, 20231215},
		{20240229, -12, 20230301},
		{20240229, 0, 20240229},
	} {
		if got := c.from.AddMonths(c.months); got != c.want {
			t.Errorf("%s and %d months is %s, want %s", c.from, c.months, got, c.want)
		}
	}
}

// Against time.AddDate, which overflows into the next month by the days that are
// missing: ours lands on its first.
func TestAddMonthsAgainstTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := fund.DateOfDay(rapid.IntRange(fund.Date(19500101).DayNumber(), fund.Date(21001231).DayNumber()).Draw(t, "day"))
		months := rapid.IntRange(-500, 500).Draw(t, "months")
		want := time.Date(d.Year(), time.Month(d.Month()+months), d.Day(), 0, 0, 0, 0, time.UTC)
		if want.Day() != d.Day() {
			want = time.Date(want.Year(), want.Month(), 1, 0, 0, 0, 0, time.UTC)
		}
		if got := d.AddMonths(months); got != dateOf(want) {
			t.Fatalf("%s and %d months is %s, want %s", d, months, got, dateOf(want))
		}
	})
}

func TestDaysBetween(t *testing.T) {
	if n := fund.Date(20240301).DaysSince(20240228); n != 2 {
		t.Errorf("from 28 February to 1 March 2024 are %d days, want 2", n)
	}
	if d := fund.Date(20231231).AddDays(1); d != 20240101 {
		t.Errorf("the day after New Year's Eve is %s", d)
	}
}

// The day turns at midnight in Shanghai, 16:00 UTC.
func TestTheDayTurnsInShanghai(t *testing.T) {
	for _, c := range []struct {
		at   string
		day  fund.Date
		time time.Duration
	}{
		{"2024-03-05T15:59:59.999999Z", 20240305, 24*time.Hour - time.Microsecond},
		{"2024-03-05T16:00:00Z", 20240306, 0},
		{"2024-03-06T00:00:00+08:00", 20240306, 0},
		{"2024-03-06T14:59:59.999999+08:00", 20240306, 15*time.Hour - time.Microsecond},
		{"2024-02-29T12:00:00-05:00", 20240301, time.Hour},
	} {
		at, err := fund.ParseInstant(c.at)
		if err != nil {
			t.Fatal(err)
		}
		if at.Date() != c.day || at.SinceMidnight() != c.time {
			t.Errorf("%s is %s past midnight of %s, want %s of %s", c.at, at.SinceMidnight(), at.Date(), c.time, c.day)
		}
	}
}

func TestParseInstant(t *testing.T) {
	for _, s := range []string{"2024-03-05", "2024-03-05T10:00:00", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "now"} {
		if at, err := fund.ParseInstant(s); !errors.Is(err, fund.ErrInvalid) {
			t.Errorf("%q is read as %s (%v)", s, at, err)
		}
	}
	at, err := fund.ParseInstant("2024-03-05T10:00:00.1234567+08:00")
	if err != nil || at.String() != "2024-03-05T02:00:00.123456Z" || at.Add(time.Second)-at != 1_000_000 {
		t.Errorf("read as %s (%v), want it cut to microseconds", at, err)
	}
	if unknown, err := fund.ParseInstant(""); unknown != 0 || err != nil || unknown.String() != "" || unknown.Date() != 0 {
		t.Errorf("the empty text is %v (%v)", unknown, err)
	}
	if fund.Forever.String() != "forever" {
		t.Errorf("the end of time is %s", fund.Forever)
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("2024-02-29")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := fund.ParseDate(s); err == nil && d.String() != s {
			t.Fatalf("%q is read as %q", s, d)
		}
	})
}
