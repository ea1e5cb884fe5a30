package server

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// registry collects the services that the caller registers, for gRPC and for calls
// within the process. It is a grpc.ServiceRegistrar.
type registry struct {
	services []registered
	err      error // of the first registration that was wrong
}

type registered struct {
	desc *grpc.ServiceDesc
	impl any
}

// RegisterService implements grpc.ServiceRegistrar. gRPC's own ends the program when an
// implementation does not fit; here New returns the error.
func (r *registry) RegisterService(desc *grpc.ServiceDesc, impl any) {
	switch want := reflect.TypeOf(desc.HandlerType).Elem(); {
	case r.err != nil:
	case impl == nil || !reflect.TypeOf(impl).Implements(want):
		r.err = fmt.Errorf("server: service %s: %T does not implement %s", desc.ServiceName, impl, want)
	case len(desc.Streams) > 0:
		r.err = fmt.Errorf("server: service %s has streams, which the interceptor chain does not cover", desc.ServiceName)
	case r.has(desc.ServiceName):
		r.err = fmt.Errorf("server: service %s is registered twice", desc.ServiceName)
	default:
		r.services = append(r.services, registered{desc, impl})
	}
}

func (r *registry) has(name string) bool {
	for _, s := range r.services {
		if s.desc.ServiceName == name {
			return true
		}
	}
	return false
}

// inProcess is a client connection that ends in this process: it dispatches by the same
// service descriptors as gRPC and runs the same interceptor, with no socket and no
// encoding between. The gateway calls through it, because the handlers that are
// generated for in-process use run no interceptors.
type inProcess struct {
	intercept grpc.UnaryServerInterceptor
	methods   map[string]inProcessMethod
}

type inProcessMethod struct {
	handler grpc.MethodHandler
	impl    any
}

func newInProcess(r *registry, intercept grpc.UnaryServerInterceptor) *inProcess {
	p := &inProcess{intercept: intercept, methods: map[string]inProcessMethod{}}
	for _, s := range r.services {
		for _, m := range s.desc.Methods {
			p.methods["/"+s.desc.ServiceName+"/"+m.MethodName] = inProcessMethod{m.Handler, s.impl}
		}
	}
	return p
}

// Invoke implements grpc.ClientConnInterface. The deadline and the peer of ctx are the
// handler's; outgoing metadata become the handler's incoming ones.
func (p *inProcess) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	m, ok := p.methods[method]
	if !ok {
		return errNotImplemented
	}
	stream := &localStream{method: method}
	resp, err := m.handler(m.impl, localContext(ctx, stream), func(into any) error { return hand(into, args) }, p.intercept)
	stream.give(opts)
	if err != nil {
		return err
	}
	return hand(reply, resp)
}

// NewStream implements grpc.ClientConnInterface: the API has no streams.
func (*inProcess) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errNotImplemented
}

// localContext turns a client's context into a handler's. The handler must not pass the
// caller's metadata on to calls of its own, so the outgoing ones are emptied.
func localContext(ctx context.Context, stream *localStream) context.Context {
	md, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewOutgoingContext(ctx, metadata.MD{})
	return grpc.NewContextWithServerTransportStream(metadata.NewIncomingContext(ctx, md), stream)
}

var errMessageType = errors.New("server: a message of another type than the method's")

// hand moves a message into another of its type without copying what it refers to: the
// sender does not touch it afterwards, and a handler that gives a shared answer gets
// it read, not changed.
func hand(into, from any) error {
	dst, ok := into.(proto.Message)
	src, ok2 := from.(proto.Message)
	if !ok || !ok2 || dst.ProtoReflect().Descriptor() != src.ProtoReflect().Descriptor() {
		return errMessageType
	}
	d := dst.ProtoReflect()
	src.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		d.Set(fd, v)
		return true
	})
	return nil
}

// localStream takes the header and trailer that a handler sets.
type localStream struct {
	method  string
	mu      sync.Mutex
	sent    bool
	header  metadata.MD
	trailer metadata.MD
}

var errHeaderSent = errors.New("server: the header was sent already")

// Method implements grpc.ServerTransportStream.
func (s *localStream) Method() string { return s.method }

// SetHeader implements grpc.ServerTransportStream.
func (s *localStream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent {
		return errHeaderSent
	}
	if s.header == nil {
		s.header = metadata.MD{}
	}
	for k, v := range md {
		s.header[k] = append(s.header[k], v...)
	}
	return nil
}

// SendHeader implements grpc.ServerTransportStream.
func (s *localStream) SendHeader(md metadata.MD) error {
	if err := s.SetHeader(md); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = true
	return nil
}

// SetTrailer implements grpc.ServerTransportStream.
func (s *localStream) SetTrailer(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trailer = metadata.Join(s.trailer, md)
	return nil
}

// give hands header and trailer to the call options that asked for them.
func (s *localStream) give(opts []grpc.CallOption) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = s.header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = s.trailer
		}
	}
}
