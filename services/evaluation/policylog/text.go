package policylog

// openCSV reads a CSV file.
func openCSV(in *input, _ *plan) (reader, error) {
	return nil, &FileError{File: in.name, Found: "CSV"}
}

// openNDJSON reads an NDJSON file.
func openNDJSON(in *input, _ *plan) (reader, error) {
	return nil, &FileError{File: in.name, Found: "NDJSON"}
}
