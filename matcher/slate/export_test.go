package slate

// Place is who takes the place by a number below 10,000 x alternatives.
func (e *Exploration) Place(number uint64, alternatives int) int {
	return e.place(number, alternatives)
}

// SplitMix64 is the generator under Draw.
func SplitMix64(seed, counter uint64) uint64 { return splitMix64(seed, counter) }
