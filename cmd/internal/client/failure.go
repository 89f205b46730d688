package client

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Reason says of which kind a failure is.
type Reason uint8

// Reasons of a Failure.
const (
	Failed   Reason = iota // the server could not do it
	Nobody                 // no server answered
	Lost                   // one had answered, and the connection was lost
	Busy                   // the server cannot do it now: it is full, or its broker is away
	Denied                 // the token is wrong, or may not do this
	Invalid                // the request is wrong
	TooLarge               // the request has more bytes than the server takes
	NotFound               // what it names is not there
	Stranger               // what answered is no brood server
)

// Failure is why a call did not succeed, in words for a person.
type Failure struct {
	Reason Reason
	Text   string
	// RetryAfter is when the server wants to be asked again; 0 if it did not say.
	RetryAfter time.Duration
}

// Error implements error.
func (f *Failure) Error() string { return f.Text }

// Explain turns the error of a call into a *Failure. All others stay what they are, those of the
// caller's own context among them.
func (c *Client) Explain(err error) error {
	var known *Failure
	var call *connect.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case !errors.As(err, &call):
		return err
	case call.Code() == connect.CodeDeadlineExceeded:
		return context.DeadlineExceeded // the server's clock may be ahead of our context by a moment
	case !connect.IsWireError(err):
		return c.transportFailure(call)
	}
	f := &Failure{Text: call.Message(), RetryAfter: retryAfter(call)}
	switch call.Code() {
	case connect.CodeResourceExhausted:
		f.Reason = Busy
		if f.RetryAfter == 0 { // whoever has no room for a while says for how long
			f.Reason = TooLarge
		}
	case connect.CodeUnavailable:
		f.Reason = Busy
	case connect.CodeUnauthenticated:
		f.Reason = Denied
		f.Text += ": give the server's token in BROOD_TOKEN or --token-file"
	case connect.CodePermissionDenied:
		f.Reason = Denied
	case connect.CodeInvalidArgument, connect.CodeOutOfRange:
		f.Reason = Invalid
	case connect.CodeNotFound:
		f.Reason = NotFound
	}
	return f
}

// transportFailure words what went wrong on the way to the server.
func (c *Client) transportFailure(err *connect.Error) error {
	cause := err.Message()
	if text := c.stranger(err, cause); text != "" {
		return &Failure{Reason: Stranger, Text: text + ": " + cause}
	}
	switch {
	case c.reached.Load() && ended(err):
		return &Failure{Reason: Lost, Text: fmt.Sprintf("the connection to %s was lost: the server has gone away", c.address)}
	case c.reached.Load() && (err.Code() == connect.CodeUnavailable || cutOff(err)):
		return &Failure{Reason: Lost, Text: fmt.Sprintf("the connection to %s was lost: %s", c.address, cause)}
	case err.Code() == connect.CodeUnavailable:
		return &Failure{Reason: Nobody, Text: fmt.Sprintf("no server at %s: %s", c.address, cause)}
	}
	return &Failure{Reason: Failed, Text: cause}
}

// stranger says what answers in place of the server that is looked for, empty if nothing does.
func (c *Client) stranger(err *connect.Error, cause string) string {
	host, plain := strings.CutPrefix(c.address, "http://")
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return c.address + " is not known: name the certificates by which it is with --ca-file"
	case strings.Contains(cause, "HTTP response to HTTPS client"): // net/http has no value for it
		return fmt.Sprintf("what answers at %s speaks no TLS: if it is to be trusted without, its address is http://%s", c.address, strings.TrimPrefix(c.address, "https://"))
	case err.Code() != connect.CodeUnimplemented && err.Code() != connect.CodeUnknown && err.Code() != connect.CodeInternal:
		return ""
	case plain && strings.HasPrefix(cause, "400 "):
		return fmt.Sprintf("what answers at %s is no brood server, or it speaks TLS: then its address is https://%s", c.address, host)
	case httpStatus(cause), strings.Contains(cause, "malformed HTTP"), strings.Contains(cause, "content-type"):
		return fmt.Sprintf("what answers at %s is no brood server", c.address)
	}
	return ""
}

// httpStatus says that a text is the status of an answer that is none of the API's: three digits and a reason.
func httpStatus(text string) bool {
	code, _, _ := strings.Cut(strings.TrimPrefix(text, "HTTP status "), " ")
	n, err := strconv.Atoi(code)
	return err == nil && n >= 100 && n <= 599
}

// cutOff says that the network failed in the middle of an answer.
func cutOff(err *connect.Error) bool {
	var network *net.OpError
	return errors.As(err, &network)
}

// ended says that the other side closed the connection in the middle of an answer.
func ended(err *connect.Error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		strings.Contains(err.Message(), "unexpected EOF") // Connect's own word for it
}

// retryAfter reads the server's hint from the header or, more exactly, from the error's details.
func retryAfter(err *connect.Error) time.Duration {
	for _, detail := range err.Details() {
		if value, _ := detail.Value(); value != nil {
			if e, ok := value.(*broodv1.Error); ok && e.GetRetryAfter() != nil {
				return e.GetRetryAfter().AsDuration()
			}
		}
	}
	seconds, _ := strconv.Atoi(err.Meta().Get("Retry-After"))
	return time.Duration(max(seconds, 0)) * time.Second
}
