// Package traces watches requests: it takes the services' spans over OTLP/HTTP and turns those of requests, over HTTP or
// the bus, and of reaches into other services' stores, into calls, and those of handled events into takes.
package traces

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stillup/stillup/viz/world"
)

// MaxBody is how many bytes one export may have, after decompression.
const MaxBody = 4 << 20

// readWithin is how long an export may take to arrive.
const readWithin = 10 * time.Second

// Options of a receiver; Node, NodeAt and See must be set.
type Options struct {
	Node   func(name string) string     // the node whose spans say service.name = name; empty: none
	NodeAt func(hostport string) string // the node that listens there; empty: none
	Store  func(node string) bool       // whether the node is a store; nil: none is
	See    func(...world.Observation)   // takes CallsSeen and TakesSeen; called from the requests' goroutines
	Log    *slog.Logger                 // nil: none
}

// Receiver is the handler for POST /v1/traces: OTLP/HTTP in protobuf or JSON, gzip or plain. It keeps the client and
// server spans of requests between nodes, the client spans of uses of a store that name it, and the consumer spans of
// events that were handled, and drops everything else.
type Receiver struct{ o Options }

// New makes a receiver.
func New(o Options) *Receiver {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Store == nil {
		o.Store = func(string) bool { return false }
	}
	return &Receiver{o}
}

// refusal is an export that is not taken, with the status of the answer.
type refusal struct {
	status int
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }

const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

// ServeHTTP takes one export. It answers in the encoding of the request, as OTLP wants: an empty
// ExportTraceServiceResponse, or a google.rpc.Status.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != typeProto && kind != typeJSON {
		answer(w, typeJSON, &refusal{http.StatusUnsupportedMediaType,
			fmt.Errorf("content type is %q; send %s or %s", r.Header.Get("Content-Type"), typeProto, typeJSON)})
		return
	}
	data, refused := rc.read(w, r, kind)
	if refused == nil {
		calls, takes := rc.sort(data)
		if len(calls) > 0 {
			rc.o.See(world.CallsSeen{At: time.Now(), Calls: calls})
		}
		if len(takes) > 0 {
			rc.o.See(world.TakesSeen{At: time.Now(), Takes: takes})
		}
	} else {
		rc.o.Log.Warn("an export of traces was refused", "remote", r.RemoteAddr, "error", refused)
	}
	answer(w, kind, refused)
}

// read reads and decodes the body.
func (rc *Receiver) read(w http.ResponseWriter, r *http.Request, kind string) (*tracepb.TracesData, *refusal) {
	// Not every writer has deadlines (a test's has none); the size is bounded in any case.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin))
	var body io.Reader = http.MaxBytesReader(w, r.Body, MaxBody)
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, &refusal{http.StatusBadRequest, fmt.Errorf("body is not gzip: %w", err)}
		}
		defer z.Close()
		body = z
	default:
		return nil, &refusal{http.StatusUnsupportedMediaType, fmt.Errorf("content encoding is %q; send gzip or none", enc)}
	}
	b, err := io.ReadAll(io.LimitReader(body, MaxBody+1))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) || len(b) > MaxBody {
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Errorf("an export may have %d bytes; send smaller batches", MaxBody)}
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, fmt.Errorf("read the body: %w", err)}
	}
	data := &tracepb.TracesData{}
	if kind == typeJSON {
		err = decodeJSON(b, data)
	} else {
		err = proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, data)
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, fmt.Errorf("body is not OTLP traces: %w", err)}
	}
	return data, nil
}

// Codes of google.rpc.Status.
const (
	codeInvalidArgument   = 3
	codeResourceExhausted = 8
)

// answer writes OTLP's answer in the encoding given: nil for taken.
func answer(w http.ResponseWriter, kind string, refused *refusal) {
	w.Header().Set("Content-Type", kind)
	if refused == nil {
		w.WriteHeader(http.StatusOK)
		if kind == typeJSON {
			_, _ = io.WriteString(w, "{}") // whoever sent it may be gone
		}
		return
	}
	code := codeInvalidArgument
	if refused.status == http.StatusRequestEntityTooLarge {
		code = codeResourceExhausted
	}
	w.WriteHeader(refused.status)
	_, _ = w.Write(status(kind, code, refused.Error()))
}

// status encodes a google.rpc.Status, whose Go package would bring gRPC's dependencies along.
func status(kind string, code int, message string) []byte {
	if kind == typeJSON {
		return fmt.Appendf(nil, `{"code":%d,"message":%s}`, code, quote(message))
	}
	b := protowire.AppendTag(nil, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(code))
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	return protowire.AppendString(b, message)
}
