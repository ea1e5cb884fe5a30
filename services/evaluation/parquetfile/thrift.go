package parquetfile

import (
	"encoding/binary"
	"errors"
)

// compact reads Thrift's compact protocol, in which Parquet keeps its metadata
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). The first error stays: after it
// everything reads as zero, so that who reads looks once, at the end.
type compact struct {
	b   []byte
	at  int
	err error
}

var (
	errShort = errors.New("it ends before its last field")
	errForm  = errors.New("it is not as Thrift writes it")
)

// The types of the protocol.
const (
	typeTrue   = 1
	typeFalse  = 2
	typeByte   = 3
	typeInt64  = 6
	typeDouble = 7
	typeBinary = 8
	typeList   = 9
	typeSet    = 10
	typeMap    = 11
	typeStruct = 12
)

func (c *compact) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.at = len(c.b)
}

func (c *compact) byte() byte {
	if c.at >= len(c.b) {
		c.fail(errShort)
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *compact) uvarint() uint64 {
	v, n := binary.Uvarint(c.b[c.at:])
	switch {
	case n == 0:
		c.fail(errShort)
		return 0
	case n < 0:
		c.fail(errForm)
		return 0
	}
	c.at += n
	return v
}

func (c *compact) zigzag() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// int reads a whole number of any width.
func (c *compact) int(kind byte) int64 {
	switch {
	case kind == typeByte:
		return int64(int8(c.byte()))
	case kind > typeByte && kind <= typeInt64:
		return c.zigzag()
	}
	c.fail(errForm)
	return 0
}

func (c *compact) bool(kind byte) bool {
	if kind != typeTrue && kind != typeFalse {
		c.fail(errForm)
	}
	return kind == typeTrue
}

// bytes are a part of what is read.
func (c *compact) bytes(kind byte) []byte {
	if kind != typeBinary {
		c.fail(errForm)
		return nil
	}
	n := c.uvarint()
	if n > uint64(len(c.b)-c.at) {
		c.fail(errShort)
		return nil
	}
	c.at += int(n)
	return c.b[c.at-int(n) : c.at]
}

// fields reads a struct: each is told its number and its type, and reads or skips what follows.
func (c *compact) fields(kind byte, each func(id int64, kind byte)) {
	if kind != typeStruct {
		c.fail(errForm)
	}
	var id int64
	for c.err == nil {
		head := c.byte()
		if head == 0 {
			return
		}
		if delta := int64(head >> 4); delta > 0 {
			id += delta
		} else {
			id = c.zigzag()
		}
		each(id, head&0x0f)
	}
}

// list returns the number of elements and their type. Each takes a byte at least: a list that claims more than is left
// is no list.
func (c *compact) list(kind byte) (n int, element byte) {
	if kind != typeList && kind != typeSet {
		c.fail(errForm)
		return 0, 0
	}
	head := c.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = c.uvarint()
	}
	if size > uint64(len(c.b)-c.at) {
		c.fail(errShort)
		return 0, 0
	}
	return int(size), head & 0x0f
}

// skip goes on behind a value.
func (c *compact) skip(kind byte, depth int) {
	if depth > maxDepth {
		c.fail(errForm)
		return
	}
	switch kind {
	case typeTrue, typeFalse:
	case typeByte:
		c.byte()
	case typeDouble:
		for range 8 {
			c.byte()
		}
	case typeBinary:
		c.bytes(kind)
	case typeList, typeSet:
		n, element := c.list(kind)
		for i := 0; i < n && c.err == nil; i++ {
			c.skipElement(element, depth+1)
		}
	case typeMap:
		c.skipMap(depth)
	case typeStruct:
		c.fields(kind, func(_ int64, kind byte) { c.skip(kind, depth+1) })
	default:
		c.int(kind)
	}
}

// skipElement goes on behind an element of a list or a map: there a truth value takes a byte.
func (c *compact) skipElement(kind byte, depth int) {
	if kind == typeTrue || kind == typeFalse {
		c.byte()
		return
	}
	c.skip(kind, depth)
}

func (c *compact) skipMap(depth int) {
	n := c.uvarint()
	if n == 0 {
		return
	}
	kinds := c.byte()
	for i := uint64(0); i < n && c.err == nil; i++ {
		c.skipElement(kinds>>4, depth+1)
		c.skipElement(kinds&0x0f, depth+1)
	}
}
