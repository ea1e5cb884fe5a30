package policylog

import "encoding/binary"

// uuidText is the length of a UUID as text: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
const uuidText = 36

// uuid is one as two words of 8 bytes each, the least first.
type uuid struct{ first, second uint64 }

// parseUUID reads a UUID in lower case, 01234567-89ab-cdef-0123-456789abcdef.
func parseUUID(v []byte) (u uuid, is bool) {
	if len(v) != uuidText {
		return uuid{}, false
	}
	t := (*[uuidText]byte)(v)
	hyphens := t[8] ^ '-' | (t[13] ^ '-') | (t[18] ^ '-') | (t[23] ^ '-')
	a, bad := hexWord(binary.LittleEndian.Uint64(t[0:8]))
	b, bad2 := hexWord(uint64(binary.LittleEndian.Uint32(t[9:13])) | uint64(binary.LittleEndian.Uint32(t[14:18]))<<32)
	c, bad3 := hexWord(uint64(binary.LittleEndian.Uint32(t[19:23])) | uint64(binary.LittleEndian.Uint32(t[24:28]))<<32)
	d, bad4 := hexWord(binary.LittleEndian.Uint64(t[28:36]))
	return uuid{a | b<<32, c | d<<32}, bad|bad2|bad3|bad4|uint64(hyphens) == 0
}

// hexWord turns eight digits into four bytes, all at once; bad is 0 if all are digits or letters from a to f. A letter's code has
// the bit 40; each byte's value is written back as a digit and compared with what was read.
func hexWord(x uint64) (v, bad uint64) {
	const each = 0x0101010101010101
	v = x&(0x0f*each) + 9*(x>>6&each)
	letter := (v + 6*each) >> 4 & each
	bad = (v + 0x30*each + 39*letter) ^ x | v&(0xf0*each)
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return (v | v>>16) & 0xffffffff, bad
}
