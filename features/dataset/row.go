package dataset

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fundmatch/fundmatch/matcher/fund"
)

// Limits of values beyond those of matcher/fund.
const (
	// MaxLabel is the longest name of a tag, of a purpose and the like, in bytes.
	MaxLabel = 256
	// MaxAccount is the longest account and the longest batch of a lot, in bytes: both
	// are part of the name of its cell.
	MaxAccount = 128
	// MaxProductAttribute is the longest value of an unknown column of products.csv, in
	// characters; of customers.csv it is fund.MaxTextLength, as of every cell.
	MaxProductAttribute = 4096
	// MaxThemesLength is the longest list of themes, in bytes.
	MaxThemesLength = 4096
	// MinNAV and MaxNAV bound a net asset value in yuan a share: wider than every fund
	// there was, and narrow enough to catch a value in fen or an amount in place of a price.
	MinNAV = 0.0001
	MaxNAV = 1_000_000
	// MaxShares is the largest lot, a hundred thousand million shares.
	MaxShares = fund.Shares(100_000_000_000 * sharesScale)
	// MaxLockupDays is the longest lockup: a century.
	MaxLockupDays = 36_525

	sharesScale      = 10_000
	maxDecimalLength = 32
)

// row reads the fields of one record as typed values, in the order of the format's
// columns whatever the order in the file. After the first error every value is zero.
type row struct {
	names   []string // the format's columns
	at      []int    // where each stands in the record; -1: not in the file
	unknown []attributeColumn
	header  []string // every column of the file
	text    string   // the record's bytes
	ends    []int
	next    int    // the column that the next call reads
	value   string // the one that the last call read
	err     *Error
}

// attributeColumn is a column that the format does not know.
type attributeColumn struct {
	name string
	at   int
}

func (r *row) field(at int) string {
	if at < 0 {
		return ""
	}
	if at == 0 {
		return r.text[:r.ends[0]]
	}
	return r.text[r.ends[at-1]:r.ends[at]]
}

// checkUTF8 fails on the first field that is not UTF-8.
func (r *row) checkUTF8() {
	for i := range r.ends {
		if f := r.field(i); !utf8.ValidString(f) {
			r.failAt(r.header[i], f, "UTF-8")
			return
		}
	}
}

// take moves to the next column and returns its value.
func (r *row) take() string {
	r.value = r.field(r.at[r.next])
	r.next++
	return r.value
}

// absent reports whether the value last read is empty.
func (r *row) absent() bool { return r.value == "" }

// fail records what the value last read should have been.
func (r *row) fail(expected string) {
	r.failAt(r.names[r.next-1], r.value, expected)
}

func (r *row) failAt(column, value, expected string) {
	if r.err == nil {
		r.err = &Error{Column: column, Value: clip(value, maxErrorValue), Expected: expected}
	}
}

// optionalText reads a text of at most fund.MaxTextLength characters, none of them a
// control character.
func (r *row) optionalText() string {
	s := r.take()
	if n := fund.MaxTextLength; len(s) > n && utf8.RuneCountInString(s) > n {
		r.fail("at most " + strconv.Itoa(n) + " characters")
		return ""
	}
	return r.printable(s)
}

func (r *row) requiredText() string {
	s := r.optionalText()
	if r.absent() {
		r.fail("a text")
	}
	return s
}

// label reads a text that becomes part of a key or a name, and is bounded in bytes.
func (r *row) label(limit int) string {
	s := r.take()
	if len(s) > limit {
		r.fail("at most " + strconv.Itoa(limit) + " bytes")
		return ""
	}
	return r.printable(s)
}

func (r *row) requiredLabel(limit int) string {
	s := r.label(limit)
	if r.absent() {
		r.fail("a text")
	}
	return s
}

func (r *row) printable(s string) string {
	if controlCharacter(s, "") >= 0 {
		r.fail("a text without control characters")
		return ""
	}
	return s
}

// controlCharacter returns where the first control character stands that is not among
// allowed, or -1.
func controlCharacter(s, allowed string) int {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c == 0x7f) && !strings.Contains(allowed, string(rune(c))) {
			return i
		}
	}
	return -1
}

// id reads an id that must be there.
func (r *row) id() string {
	s := r.take()
	if fund.CheckID(s) != nil {
		r.fail("an id: 1 to 64 of 0-9 A-Z a-z . _ - that begin with a letter or digit")
		return ""
	}
	return s
}

// optionalID reads an id or nothing.
func (r *row) optionalID() string {
	if r.field(r.at[r.next]) == "" {
		return r.take()
	}
	return r.id()
}

// word reads a code that no table lists: BUY, CLICK.
func (r *row) word(absent string) string {
	s := r.take()
	if s == "" {
		return absent
	}
	ok := len(s) <= fund.MaxIDLength && s[0] >= 'A' && s[0] <= 'Z'
	for i := 1; ok && i < len(s); i++ {
		ok = s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9' || s[i] == '_'
	}
	if !ok {
		r.fail("a code of A-Z 0-9 _ that begins with a letter, such as BUY")
		return ""
	}
	return s
}

func (r *row) date() fund.Date {
	d, err := fund.ParseDate(r.take())
	if err != nil {
		r.fail("a date YYYY-MM-DD of 1900 to 2199")
	}
	return d
}

func (r *row) requiredDate() fund.Date {
	d := r.date()
	if r.absent() {
		r.fail("a date YYYY-MM-DD of 1900 to 2199")
	}
	return d
}

// factDate reads the day of a fact that becomes a cell: its first instant must be one
// that a store can keep.
func (r *row) factDate() fund.Date {
	d := r.date()
	if d != 0 && d.Start() <= 0 {
		r.fail("a date after 1970-01-01")
		return 0
	}
	return d
}

func (r *row) requiredFactDate() fund.Date {
	d := r.factDate()
	if r.absent() {
		r.fail("a date YYYY-MM-DD after 1970-01-01")
	}
	return d
}

const expectedInstant = "a time such as 2020-06-01T10:00:00+08:00"

func (r *row) instant() fund.Instant {
	i, err := fund.ParseInstant(r.take())
	if err != nil {
		r.fail(expectedInstant)
	}
	return i
}

// knownAndValid reads known_at and valid_to of a fact, which must not end before it begins.
func (r *row) knownAndValid(eventAt fund.Instant) (knownAt, validTo fund.Instant) {
	knownAt, validTo = r.instant(), r.instant()
	if validTo != 0 && validTo <= eventAt {
		r.fail("a time after event_at")
	}
	return knownAt, validTo
}

func (r *row) requiredInstant() fund.Instant {
	i := r.instant()
	if r.absent() {
		r.fail(expectedInstant)
	}
	return i
}

func (r *row) answer() fund.Answer {
	a, err := fund.ParseAnswer(r.take())
	if err != nil {
		r.fail("true or false")
	}
	return a
}

// flag reads a yes or no that must be there.
func (r *row) flag() bool {
	a := r.answer()
	if r.absent() {
		r.fail("true or false")
	}
	return a == fund.Yes
}

// number reads a whole number from 0 to limit; empty is 0.
func (r *row) number(what string, limit int64) int64 {
	s := r.take()
	if s == "" {
		return 0
	}
	n, ok := parseDigits(s)
	if !ok || n > limit {
		r.fail(what + ", a whole number from 0 to " + strconv.FormatInt(limit, 10))
		return 0
	}
	return n
}

func (r *row) money() fund.Money {
	return fund.Money(r.number("fen", int64(fund.MaxMoney)))
}

func (r *row) basisPoints() fund.BasisPoints {
	return fund.BasisPoints(r.number("basis points", int64(fund.MaxRate)))
}

func (r *row) days(limit int64) int32 { return int32(r.number("days", limit)) }

// parseDigits reads up to 18 digits, which no int64 overflows on.
func parseDigits(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

// price reads a net asset value. No sign, exponent, NaN or infinity gets through.
func (r *row) price() float64 {
	s := r.take()
	x, err := 0.0, error(nil)
	if isDecimal(s) {
		x, err = strconv.ParseFloat(s, 64)
	}
	if err != nil || x < MinNAV || x > MaxNAV {
		r.fail("yuan a share, a decimal number from 0.0001 to 1000000")
		return 0
	}
	return x
}

// shares reads a number of shares of at most four decimal places.
func (r *row) shares() fund.Shares {
	s := r.take()
	whole, frac, _ := strings.Cut(s, ".")
	if isDecimal(s) && len(frac) <= 4 {
		n, ok := parseDigits(whole + frac + "0000"[len(frac):])
		if ok && fund.Shares(n) <= MaxShares {
			return fund.Shares(n)
		}
	}
	r.fail("shares, a number from 0 to 100000000000 of at most 4 decimal places")
	return 0
}

// isDecimal reports whether s is digits, with a point and digits after them or not.
func isDecimal(s string) bool {
	whole, frac, point := strings.Cut(s, ".")
	return len(s) <= maxDecimalLength && allDigits(whole) && (allDigits(frac) || !point)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// words reads a list of different words between spaces or the separators , ; | and
// their Chinese forms.
func (r *row) words(limit int) []string {
	s := r.label(MaxThemesLength)
	list := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(" ,;|，；、", c) })
	for i, w := range list {
		if len(w) > fund.MaxTextLength || slices.Contains(list[:i], w) || i >= limit {
			r.fail("at most " + strconv.Itoa(limit) + " different words")
			return nil
		}
	}
	return list
}

// coded is a value of a table of codes.
type coded interface {
	~uint8
	String() string
}

// code reads a code of a table of which first to last are the known ones; empty is
// unknown.
func code[T coded](r *row, parse func(string) (T, error), first, last T) T {
	v, err := parse(r.take())
	if err != nil {
		r.fail(codesOf(first, last))
		return 0
	}
	return v
}

// requiredCode is code where empty is an error.
func requiredCode[T coded](r *row, parse func(string) (T, error), first, last T) T {
	v := code(r, parse, first, last)
	if r.absent() {
		r.fail(codesOf(first, last))
	}
	return v
}

func codesOf[T coded](first, last T) string {
	name := first.String()
	if len(name) == 2 { // R1, C1
		return name + " to " + last.String()
	}
	names := make([]string, 0, last-first+1)
	for v := first; v <= last; v++ {
		names = append(names, v.String())
	}
	return "one of " + strings.Join(names, " ")
}

func (r *row) riskGrade() fund.RiskGrade { return code(r, fund.ParseRiskGrade, fund.R1, fund.R5) }

func (r *row) riskLevel() fund.RiskLevel { return code(r, fund.ParseRiskLevel, fund.C1, fund.C5) }

func (r *row) goals() []fund.Goal {
	goals, err := fund.ParseGoals(r.take())
	if err != nil {
		r.fail("different goals, " + codesOf(fund.Cash, fund.Goal(fund.Goals-1)))
	}
	if len(goals) == 0 {
		return nil
	}
	return goals
}

// attributes returns the values of the unknown columns that are not empty, by name;
// each has at most limit characters.
func (r *row) attributes(limit int) []fund.Attribute {
	var list []fund.Attribute
	for _, c := range r.unknown {
		v := r.field(c.at)
		switch {
		case v == "":
			continue
		case len(v) > limit && utf8.RuneCountInString(v) > limit:
			r.failAt(c.name, v, "at most "+strconv.Itoa(limit)+" characters")
		case controlCharacter(v, "\t\r\n") >= 0:
			r.failAt(c.name, v, "a text without control characters")
		}
		if list == nil {
			list = make([]fund.Attribute, 0, len(r.unknown))
		}
		list = append(list, fund.Attribute{Name: c.name, Value: v})
	}
	return list
}
