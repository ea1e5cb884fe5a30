package evaluation

// Seal lets tests seal what no run wrote.
var Seal = seal
