package policylog

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	allHeader = "decision_id,customer_id,decided_at,position,product_code,reward,propensity,target_propensity,segment,amount_fen,note"
	allRow    = "d-1,C1,2026-03-05T10:00:00Z,1,000001,0,0.25,0.5,young,100,x"
	allObject = `{"decision_id":"d-1","customer_id":"C1","decided_at":"2026-03-05T10:00:00Z","position":1,"product_code":"000001","reward":0,` +
		`"propensity":0.25,"target_propensity":0.5,"segment":"young","amount_fen":100,"note":{"a":[1,2]}}`
)

// FuzzCSV: the same rows as the standard library's reader with the oracle behind it, or both refuse.
func FuzzCSV(f *testing.F) {
	row2 := "d-1,C1,2026-03-05T10:00:00Z,2,000002,,0.1234567890123456,1e-05,,,\"a \"\"b\"\", c\""
	row3 := "d-2,C2,2026-03-05T18:00:00.25+08:00,1,000001,-1.5e3,1,0,old,-0,"
	for _, rows := range []string{
		"", allRow, allRow + "\n" + row2 + "\n" + row3 + "\n", allRow + "\r\n" + row3 + "\r\n" + row2,
		allRow + "\n\"d-2\",\"C2\",\"2026-03-05T10:00:00Z\",\"1\",\"000001\",\"0\",\"0.25\",\"0.5\",\"y\n\",\"\",\"\"\n",
		allRow + "\n" + allRow[:20], allRow + "\n\n" + row2, allRow + ",\n", "\"d\"x" + allRow[3:], "d\"" + allRow[3:],
	} {
		f.Add([]byte(allHeader+"\n"+rows), uint8(3))
	}
	f.Add([]byte(byteOrderMark+`"segment"`+allHeader[len("decision_id"):]+"\n"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, blockRows uint8) {
		want, known, wantErr := oracleCSV(text)
		if !known || bytes.HasPrefix(text, []byte("\x1f\x8b")) || bytes.HasPrefix(text, []byte("\x28\xb5\x2f\xfd")) {
			t.Skip()
		}
		compare(t, text, CSV, int(blockRows)+1, want, wantErr)
	})
}

// FuzzNDJSON: the same for encoding/json.
func FuzzNDJSON(f *testing.F) {
	other := `{"decision_id":"d-1","customer_id":"C1","decided_at":"2026-03-05T10:00:00Z","position":2,"product_code":"000001","reward":null,` +
		`"propensity":0.5,"target_propensity":1.5e-3,"segment":null,"amount_fen":-0.5,"note":"\"\\"}`
	for _, rows := range []string{
		"", allObject, allObject + "\n" + other + "\n", other + "\n" + allObject, allObject + "\r\n " + other + " \r\n", "{}", "[]", allObject + "x",
		allObject[:len(allObject)-1] + `,"reward":1}`, allObject[:len(allObject)-1] + `,"other":[{"a":1}, tru]}`, allObject + "\n\n",
	} {
		f.Add([]byte(rows), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, blockRows uint8) {
		want, known, wantErr := oracleNDJSON(text)
		if !known || bytes.HasPrefix(text, []byte("\x1f\x8b")) || bytes.HasPrefix(text, []byte("\x28\xb5\x2f\xfd")) {
			t.Skip()
		}
		compare(t, text, NDJSON, int(blockRows)+1, want, wantErr)
	})
}

func compare(t *testing.T, text []byte, f Format, blockRows int, want []flat, wantErr error) {
	t.Helper()
	got, _, err := readText(text, f, blockRows)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%q: read as %v, by the oracle %v", text, err, wantErr)
	}
	if err == nil && !slices.Equal(got, want) {
		t.Fatalf("%q: read as\n%+v, by the oracle\n%+v", text, got, want)
	}
}

// FuzzNumber: the bits of strconv.ParseFloat for every decimal, whichever way it is read, and nothing for the rest.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{
		"0", "-0", "1", "0.1", "0.12345678901234567", "0.123456789012345678", "0.00000000000000000012345678901234567", "9007199254740993",
		"9007199254740993e-3", "1e22", "1e23", "1.7976931348623157e308", "1.8e308", "5e-324", "2e-324", "+1", ".5", "5.", "01", "0x1p-2",
		"1_000", "inf", "NaN", "1e", "1e+", "--1", "", "0.", "1e-05", "12345678901234567890", "1" + strings.Repeat("0", 64) + ".0", "0.5000000000000001110223024625156540",
	} {
		f.Add(s)
	}
	decimal := regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	ofJSON := regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	f.Fuzz(func(t *testing.T, s string) {
		want, err := strconv.ParseFloat(s, 64)
		for _, json := range []bool{false, true} {
			pattern := decimal
			if json {
				pattern = ofJSON
			}
			isWanted := err == nil && pattern.MatchString(s)
			if got, ok := parseNumber([]byte(s), json); ok != isWanted || ok && math.Float64bits(got+0) != math.Float64bits(want+0) {
				t.Fatalf("%q (json %v): read as %v, %v; strconv %v, %v", s, json, got, ok, want, err)
			}
		}
		text := append([]byte(s+","), make([]byte, padding)...)
		if got, end := scanNumber(text, 0); end == len(s) {
			if err != nil || !ofJSON.MatchString(s) || math.Float64bits(got) != math.Float64bits(want+0) {
				t.Fatalf("%q: scanned as %v; strconv %v, %v", s, got, want, err)
			}
		}
	})
}

// FuzzInstant: time.Parse, for what is RFC 3339 and of the years that are taken.
func FuzzInstant(f *testing.F) {
	for _, s := range []string{
		"2026-03-05T10:00:00Z", "2026-03-05T10:00:00.123456789+08:00", "2024-02-29T23:59:59-23:59", "2023-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "1899-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2199-12-31T23:59:59.999999999Z", "2026-03-05T24:00:00Z",
		"2026-03-05T10:00:60Z", "2026-03-05 10:00:00Z", "2026-03-05t10:00:00z", "2026-03-05T10:00:00", "2026-03-05T10:00:00.Z", "2026-03-05T10:00:00,5Z",
		"2026-03-05T10:00:00+0800", "2026-13-05T10:00:00Z", "2026-00-05T10:00:00Z", "2026-04-31T10:00:00Z", "2199-12-31T23:59:59-01:00", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := time.Parse(time.RFC3339Nano, s)
		want := err == nil && instantPattern.MatchString(s) && at.UTC().Year() >= 1900 && at.UTC().Year() <= 2199
		if got, ok := parseInstant([]byte(s)); ok != want || ok && got != at.UnixNano() {
			t.Fatalf("%q: read as %v, %v; time.Parse %v, %v", s, got, ok, at.UnixNano(), err)
		}
	})
}
