package policylog

// jsonText steps through JSON (RFC 8259), strictly.
type jsonText struct {
	text []byte
	at   int
}

func (j *jsonText) blanks() {
	for j.at < len(j.text) {
		switch j.text[j.at] {
		case ' ', '\t', '\r', '\n':
			j.at++
		default:
			return
		}
	}
}

// take steps over blanks and one byte, if it is that one.
func (j *jsonText) take(c byte) bool {
	j.blanks()
	if j.at == len(j.text) || j.text[j.at] != c {
		return false
	}
	j.at++
	return true
}

// atEnd returns "" where nothing is left but blanks.
func (j *jsonText) atEnd(want string) string {
	if j.blanks(); j.at < len(j.text) {
		return want
	}
	return ""
}

// quoted steps over a string and returns what stands between its quotes. plain: without escapes.
func (j *jsonText) quoted() (from, to int, plain, ok bool) {
	if j.at == len(j.text) || j.text[j.at] != '"' {
		return 0, 0, false, false
	}
	from, plain = j.at+1, true
	for p := from; p < len(j.text); p++ {
		switch c := j.text[p]; {
		case c == '"':
			j.at = p + 1
			return from, p, plain, true
		case c < ' ':
			return 0, 0, false, false
		case c == '\\':
			plain = false
			if p = j.escape(p + 1); p < 0 {
				return 0, 0, false, false
			}
		}
	}
	return 0, 0, false, false
}

// escape returns the last byte of the escape whose letter stands at p, -1 where it is none.
func (j *jsonText) escape(p int) int {
	if p >= len(j.text) {
		return -1
	}
	switch j.text[p] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return p
	case 'u':
		if hexOf(j.text[p+1:]) >= 0 {
			return p + 4
		}
	}
	return -1
}

// skip steps over any value.
func (j *jsonText) skip(depth int) bool {
	if j.at == len(j.text) || depth > maxDepth {
		return false
	}
	switch j.text[j.at] {
	case '"':
		_, _, _, ok := j.quoted()
		return ok
	case '{':
		return j.skipMembers('}', depth)
	case '[':
		return j.skipMembers(']', depth)
	case 't':
		return j.skipWord("true")
	case 'f':
		return j.skipWord("false")
	case 'n':
		return j.skipWord("null")
	}
	from := j.at
	for j.at < len(j.text) && isNumberByte(j.text[j.at]) {
		j.at++
	}
	return isNumber(j.text[from:j.at], true)
}

func isNumberByte(c byte) bool {
	return c-'0' <= 9 || c == '-' || c == '+' || c == '.' || c|0x20 == 'e'
}

func (j *jsonText) skipWord(w string) bool {
	if len(j.text)-j.at < len(w) || string(j.text[j.at:j.at+len(w)]) != w {
		return false
	}
	j.at += len(w)
	return true
}

// skipMembers steps over an array or an object.
func (j *jsonText) skipMembers(end byte, depth int) bool {
	j.at++
	if j.take(end) {
		return true
	}
	for {
		j.blanks()
		if end == '}' {
			if _, _, _, ok := j.quoted(); !ok || !j.take(':') {
				return false
			}
			j.blanks()
		}
		if !j.skip(depth + 1) {
			return false
		}
		if j.take(',') {
			continue
		}
		return j.take(end)
	}
}
