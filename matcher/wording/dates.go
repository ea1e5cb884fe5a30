package wording

// dateAt reads a date at i (2025年12月31日, 2025-12-31, 2025.12.31, 20251231, 2025年12月,
// 2025年末) and returns its day, counted in days of about a month's length, and its end;
// the end is i when there is none. A year alone is no date.
func dateAt(l *folded, i int) (day, end int) {
	year, at := digits(l, i, 4)
	if at-i != 4 || year < 1990 || year > 2099 {
		return 0, i
	}
	at = skip(l, at, '年')
	if at < len(l.runes) && (l.runes[at] == '末' || l.runes[at] == '底') {
		return year*oneYear + oneYear - 1, at + 1
	}
	month, next := digits(l, at, 2)
	if next == at || month < 1 || month > 12 {
		return 0, i
	}
	day = year*oneYear + (month-1)*oneYear/12
	at = skip(l, next, '月')
	if d, next := digits(l, at, 2); next > at && d >= 1 && d <= 31 {
		return day + d - 1, skip(l, next, '日')
	}
	return day, at
}

// digits reads at most n digits at i that nothing separates.
func digits(l *folded, i, n int) (value, at int) {
	at = i
	for at < len(l.runes) && at < i+n && isDigit(l.runes[at]) && (at == i || l.before[at] == joined) {
		value = value*10 + int(l.runes[at]-'0')
		at++
	}
	return value, at
}

// skip steps over the mark of a part of a date, or a point between two.
func skip(l *folded, i int, mark rune) int {
	if i < len(l.runes) && (l.runes[i] == mark || l.runes[i] == '.') {
		return i + 1
	}
	return i
}

// between returns the days between the first two dates of [from, to), 0 when there
// are not two.
func between(l *folded, from, to int) int {
	first := -1
	for i := from; i < to; i++ {
		if !isDigit(l.runes[i]) || i > 0 && isDigit(l.runes[i-1]) && l.before[i] == joined {
			continue
		}
		day, end := dateAt(l, i)
		switch {
		case end == i:
			continue
		case first < 0:
			first = day
		default:
			return day - first + 1
		}
		i = end - 1
	}
	return 0
}
