package objection

// Silence returns the faces under which nothing is told to the customer, because a doubt
// with that face is silenced: another doubt would break the silence.
func Silence(doubts []Objection) (told Set) {
	for i := range doubts {
		if face, shown := doubts[i].Code.Face(); shown && doubts[i].Silenced {
			told = told.With(face)
		}
	}
	return told
}

// Tell returns the face under which a customer is shown a doubt, and adds it to the faces
// that he was told; false: he is not shown it, there is nothing to say, or he was told
// another, stronger doubt with the same face before.
func Tell(told *Set, o *Objection) (face Code, shown bool) {
	face, shown = o.Code.Face()
	if !shown || told.Has(face) || o.Sentences[0] == "" {
		return face, false
	}
	*told = told.With(face)
	return face, true
}
