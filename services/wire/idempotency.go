package wire

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/fundmatch/fundmatch/features"
)

const (
	// IdempotencyMetadata is the metadata key, and the HTTP header, of the idempotency key.
	IdempotencyMetadata = "idempotency-key"

	// Anonymous is the principal until callers are authenticated.
	Anonymous = "anonymous"

	// maxKeyLength bounds an idempotency key, in visible ASCII characters.
	maxKeyLength = 128
)

// IdempotencyKey returns a call's idempotency key, or "" when it has none. Errors:
// *features.InvalidError.
func IdempotencyKey(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, IdempotencyMetadata)
	if len(values) == 0 {
		return "", nil
	}
	const expected = "one key of 1 to 128 visible ASCII characters"
	key := values[0]
	if len(values) > 1 || len(key) < 1 || len(key) > maxKeyLength {
		return "", features.Invalid(IdempotencyMetadata, key, expected)
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			return "", features.Invalid(IdempotencyMetadata, key, expected)
		}
	}
	return key, nil
}
