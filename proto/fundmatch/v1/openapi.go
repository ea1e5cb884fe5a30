// Package fundmatchv1 is the API: messages and services generated from the .proto files
// beside it, and their OpenAPI description.
package fundmatchv1

import _ "embed"

// OpenAPI is the description of the REST API (OpenAPI 2.0, JSON), generated from the
// .proto files and proto/gateway.yaml. It must not be changed.
//
//go:embed fundmatch.swagger.json
var OpenAPI []byte
