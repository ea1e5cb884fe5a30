package policylog

// Bounds of decided_at, in nanoseconds since 1970-01-01T00:00:00Z.
const (
	minInstant = -2208988800 * second  // 1900-01-01T00:00:00Z
	maxInstant = 7258118400*second - 1 // before 2200-01-01T00:00:00Z
	second     = 1e9
)

// parseInstant reads an RFC 3339 instant, 2026-03-05T10:00:00.123456789+08:00: T and Z are capital, and there are at most
// nine digits behind the point. The leap second is none, as in Go's time package.
func parseInstant(v []byte) (at int64, ok bool) {
	if len(v) < len("2006-01-02T15:04:05Z") || v[4] != '-' || v[7] != '-' || v[10] != 'T' || v[13] != ':' || v[16] != ':' {
		return 0, false
	}
	hour, minute, sec := twoDigits(v, 11), twoDigits(v, 14), twoDigits(v, 17)
	day, ok := date(v)
	if !ok || uint(hour) > 23 || uint(minute) > 59 || uint(sec) > 59 {
		return 0, false
	}
	at = int64(day*86400+hour*3600+minute*60+sec) * second
	v = v[19:]
	if v[0] == '.' {
		var nanos int64
		if nanos, v, ok = fraction(v[1:]); !ok {
			return 0, false
		}
		at += nanos
	}
	offset, ok := zone(v)
	at -= offset
	return at, ok && at >= minInstant && at <= maxInstant
}

// date reads 2026-03-05 as days since 1970-01-01.
func date(v []byte) (days int, ok bool) {
	year, month, day := twoDigits(v, 0)*100+twoDigits(v, 2), twoDigits(v, 5), twoDigits(v, 8)
	if year < 1900-1 || year > 2200 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysSince1970(year, month, day), true
}

// wrong is what two bytes that are not digits count as: more than makes any year or day right again.
const wrong = -1 << 20

func twoDigits(v []byte, p int) int {
	a, b := v[p]-'0', v[p+1]-'0'
	if a > 9 || b > 9 {
		return wrong
	}
	return int(a)*10 + int(b)
}

// fraction reads the digits behind the point, at least one and something behind them, as nanoseconds.
func fraction(v []byte) (nanos int64, rest []byte, ok bool) {
	i, unit := 0, int64(second)
	for ; i < len(v) && v[i]-'0' <= 9; i++ {
		unit /= 10
		nanos += int64(v[i]-'0') * unit
	}
	return nanos, v[i:], i >= 1 && i <= 9
}

// zone reads Z or an offset, in nanoseconds east of Greenwich.
func zone(v []byte) (int64, bool) {
	if len(v) == 1 && v[0] == 'Z' {
		return 0, true
	}
	if len(v) != len("+08:00") || v[3] != ':' || v[0] != '+' && v[0] != '-' {
		return 0, false
	}
	hour, minute := twoDigits(v, 1), twoDigits(v, 4)
	if uint(hour) > 23 || uint(minute) > 59 {
		return 0, false
	}
	offset := int64(hour*3600+minute*60) * second
	if v[0] == '-' {
		offset = -offset
	}
	return offset, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts days of the proleptic Gregorian calendar; years begin in March so that the leap day is the last.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
