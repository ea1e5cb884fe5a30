package parquetfile

import (
	"errors"
	"fmt"
)

// The types of pages and the encodings of values.
const (
	pageData       = 0
	pageDictionary = 2
	pageData2      = 3

	encodingPlain      = 0
	encodingDictionary = 2 // of old writers
	encodingRLE        = 3
	encodingDelta      = 5
	encodingDeltaText  = 6
	encodingDeltaBytes = 7
	encodingIndexes    = 8
	encodingSplit      = 9
)

// header is a page's.
type header struct {
	kind           int64
	unpacked, size int64
	crc            uint32
	checked        bool // it has a crc
	values         int64
	encoding       int64
	levels         int64 // how they are encoded, in a page of the first version
	before, behind int64 // bytes of repetition and of definition levels, in a page of the second
	nulls          int64 // -1: not told
	plain          bool  // a page of the second version that is not packed
}

// parseHeader reads the header that b begins with, and how long it is. errShort: b ends before it does.
func parseHeader(b []byte) (header, int, error) {
	h := header{kind: -1, unpacked: -1, size: -1, values: -1, encoding: -1, nulls: -1}
	c := &compact{b: b}
	c.fields(typeStruct, func(id int64, kind byte) {
		switch id {
		case 1:
			h.kind = c.int(kind)
		case 2:
			h.unpacked = c.int(kind)
		case 3:
			h.size = c.int(kind)
		case 4:
			h.crc, h.checked = uint32(c.int(kind)), true
		case 5, 7:
			h.first(c, kind)
		case 8:
			h.second(c, kind)
		default:
			c.skip(kind, 0)
		}
	})
	return h, c.at, c.err
}

// first reads the header of a data page of the first version, or of a dictionary.
func (h *header) first(c *compact, kind byte) {
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			h.values = c.int(kind)
		case 2:
			h.encoding = c.int(kind)
		case 3:
			if kind == typeTrue || kind == typeFalse { // of a dictionary: whether it is sorted
				c.skip(kind, 0)
				return
			}
			h.levels = c.int(kind)
		default:
			c.skip(kind, 0)
		}
	})
}

// second reads the header of a data page of the second version.
func (h *header) second(c *compact, kind byte) {
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			h.values = c.int(kind)
		case 2:
			h.nulls = c.int(kind)
		case 4:
			h.encoding = c.int(kind)
		case 5:
			h.behind = c.int(kind)
		case 6:
			h.before = c.int(kind)
		case 7:
			h.plain = !c.bool(kind)
		default:
			c.skip(kind, 0)
		}
	})
}

// check holds the header against the bytes and rows that are left in its chunk.
func (h *header) check(bytesLeft, rowsLeft int64) error {
	switch {
	case h.size < 0 || h.size > bytesLeft:
		return fmt.Errorf("a page claims %d bytes where %d are left", h.size, bytesLeft)
	case h.unpacked < 0 || h.unpacked > MaxPage:
		return fmt.Errorf("a page claims %d bytes unpacked; at most %d are read", h.unpacked, MaxPage)
	case h.kind == pageDictionary && (h.values < 0 || h.values > h.unpacked):
		return fmt.Errorf("a dictionary claims %d values in %d bytes", h.values, h.unpacked)
	case h.isData() && (h.values < 0 || h.values > rowsLeft):
		return fmt.Errorf("a page claims %d values where %d are left", h.values, rowsLeft)
	case h.kind == pageData2:
		return h.checkLevels()
	}
	return nil // pages of other kinds are left out
}

func (h *header) isData() bool { return h.kind == pageData || h.kind == pageData2 }

func (h *header) checkLevels() error {
	switch {
	case h.nulls < 0 || h.nulls > h.values:
		return fmt.Errorf("a page claims %d nulls in %d values", h.nulls, h.values)
	case h.before < 0 || h.behind < 0 || h.before > h.size || h.behind > h.size-h.before || h.before+h.behind > h.unpacked:
		return errors.New("a page's levels are larger than the page")
	}
	return nil
}
