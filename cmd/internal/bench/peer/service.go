package peer

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// message is what both calls carry. The well-known type saves generated code.
type message = wrapperspb.BytesValue

const (
	unaryMethod  = "/bench.Echo/Call"
	streamMethod = "/bench.Echo/Stream"
)

// service is the gRPC service as protoc would describe it.
var service = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Call", Handler: call}},
	Streams:     []grpc.StreamDesc{{StreamName: "Stream", Handler: stream, ServerStreams: true, ClientStreams: true}},
}

func call(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	m := new(message)
	if err := decode(m); err != nil {
		return nil, err
	}
	return m, nil
}

func stream(_ any, s grpc.ServerStream) error {
	for {
		m := new(message)
		switch err := s.RecvMsg(m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := s.SendMsg(m); err != nil {
			return err
		}
	}
}
