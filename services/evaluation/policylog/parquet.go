package policylog

// parquetChunk is what split takes off a Parquet file.
type parquetChunk struct{}

// openParquet reads a Parquet file.
func openParquet(in *input, _ *plan) (reader, error) {
	return nil, &FileError{File: in.name, Found: "a Parquet file", Want: "CSV or NDJSON"}
}
