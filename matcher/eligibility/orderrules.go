package eligibility

func withinMeans(*Edition) []orderPart     { return nil }
func recorded(*Edition) []orderPart        { return nil }
func delivered(*Edition) []orderPart       { return nil }
func dealt(*Edition) []orderPart           { return nil }
func qualifiedAmount(*Edition) []orderPart { return nil }
func concentrated(*Edition) []orderPart    { return nil }
