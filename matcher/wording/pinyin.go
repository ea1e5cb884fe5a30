package wording

import "strings"

// pinyinReach bounds how far pinyin is read on to either side of a forbidden word.
const pinyinReach = 24

// inSyllables reports whether the letters are wholly syllables of pinyin, none included.
func inSyllables(letters []rune) bool {
	if len(letters) > pinyinReach {
		return false
	}
	var reached [pinyinReach + 1]bool
	reached[0] = true
	for i := range letters {
		if !reached[i] {
			continue
		}
		for n := 1; n <= longestSyllable && i+n <= len(letters); n++ {
			reached[i+n] = reached[i+n] || isSyllable(letters[i:i+n])
		}
	}
	return reached[len(letters)]
}

const (
	longestSyllable = 6 // zhuang
	alone           = " a o e ai ei ao ou an en ang er "
	initials        = " b p m f d t n l g k h j q x zh ch sh r z c s y w "
	finals          = " a o e ai ei ao ou an en ang eng ong i ia ie iao iu ian in iang ing iong u ua uo uai ui uan un uang ue er "
)

// isSyllable reports whether the letters are an initial and a final, or a final that
// stands alone. Some such pairs are no syllable: enough to tell pinyin from English.
func isSyllable(letters []rune) bool {
	word := string(letters)
	if strings.Contains(alone, " "+word+" ") {
		return true
	}
	for n := 1; n <= 2 && n < len(word); n++ {
		if strings.Contains(initials, " "+word[:n]+" ") && strings.Contains(finals, " "+word[n:]+" ") {
			return true
		}
	}
	return false
}
