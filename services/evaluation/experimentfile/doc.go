// Package experimentfile reads rows of customers for services/evaluation/experiments: CSV, NDJSON or Parquet, text packed
// with gzip or zstd or not. It is strict: a value that is not what its column holds is an error that names file, line,
// column and value. What it keeps in memory does not grow with the file.
package experimentfile

// Limits of what is read. What exceeds them is an error before it is memory.
const (
	MaxRecord  = 1 << 20   // bytes of a row
	MaxColumns = 1000      // of a file
	MaxWindow  = 128 << 20 // bytes that unpacking zstd looks back
	MaxFooter  = 16 << 20  // bytes of a Parquet file's footer
)

// The columns that every file has.
const (
	ColumnCustomer = "customer_id"
	ColumnArm      = "arm"
)

// The columns that are read where nobody names others. The metric's value of before the experiment is in pre_ and its
// name; that column and the segment may be absent.
const (
	DefaultMetric  = "metric"
	DefaultSegment = "segment"
	PrePrefix      = "pre_"
)
