package customer

import (
	"context"
	"encoding/hex"

	"github.com/fundmatch/fundmatch/features"
	fundmatchv1 "github.com/fundmatch/fundmatch/proto/fundmatch/v1"
	"github.com/fundmatch/fundmatch/services/wire"
)

// Option adds to a service what not every one has.
type Option func(*Service)

// WithEraser lets the service erase customers. Without it EraseCustomer is not implemented.
func WithEraser(e *Eraser) Option { return func(s *Service) { s.eraser = e } }

// EraseCustomer forgets a customer, in the store and in the decision log. Errors:
// *features.InvalidError, *features.NotFoundError, *UnfinishedError, what the store returns.
func (s *Service) EraseCustomer(ctx context.Context, req *fundmatchv1.EraseCustomerRequest) (*fundmatchv1.EraseCustomerResponse, error) {
	if s.eraser == nil {
		return s.UnimplementedCustomerServiceServer.EraseCustomer(ctx, req)
	}
	w, err := s.begin(ctx, fundmatchv1.CustomerService_EraseCustomer_FullMethodName, req)
	if err != nil {
		return nil, err
	}
	by := req.GetRequestedBy()
	if err := checkText("requestedBy", by, 0); err != nil {
		return nil, err
	}
	if len(by) > features.MaxErasedBy {
		return nil, features.Invalid("requestedBy", by, "at most 256 bytes")
	}
	if by == "" {
		by = wire.Anonymous
	}
	out, err := s.eraser.Erase(ctx, w.CustomerID, by, w.Idempotency)
	if err != nil {
		return nil, unknownCustomer(err, w.CustomerID)
	}
	return out.Message(), nil
}

// Message tells the erasure as the API does.
func (f *Forgotten) Message() *fundmatchv1.EraseCustomerResponse {
	salt := hex.EncodeToString(f.Salt[:])
	if f.Repeated {
		salt = ""
	}
	return &fundmatchv1.EraseCustomerResponse{
		CustomerId: f.CustomerID, ErasedAt: wire.Timestamp(f.At), RequestedBy: f.By,
		Commitment: hex.EncodeToString(f.Commitment[:]), Salt: salt,
		Cells: int32(f.Cells), Events: int32(f.Events), Purchases: int32(f.Purchases), Decisions: int32(f.Decisions),
		Repeated: f.Repeated,
	}
}
