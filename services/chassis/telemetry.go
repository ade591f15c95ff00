package chassis

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	exportEvery   = 100 * time.Millisecond
	exportTimeout = 2 * time.Second
	maxSpans      = 8192 // waiting to be exported; beyond that new ones are dropped
	maxBatch      = 1024
	flushTimeout  = time.Second

	scope = "github.com/stillup/stillup/services/chassis"
)

// telemetry is a service's own tracing; nothing of it is global, so that several services fit into one process.
type telemetry struct{ provider *sdktrace.TracerProvider }

func newTelemetry(cfg Config) (*telemetry, error) {
	opts := []sdktrace.TracerProviderOption{
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", cfg.Name))),
	}
	if cfg.OTLPEndpoint != "" {
		u, err := url.Parse(cfg.OTLPEndpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("endpoint for traces is %q; write http://host:port", cfg.OTLPEndpoint)
		}
		headers := map[string]string{}
		if cfg.OTLPToken != "" {
			headers["Authorization"] = "Bearer " + cfg.OTLPToken
		}
		exporter := otlptrace.NewUnstarted(otlptracehttp.NewClient(
			otlptracehttp.WithEndpointURL(strings.TrimRight(cfg.OTLPEndpoint, "/")+"/v1/traces"),
			otlptracehttp.WithHeaders(headers),
			otlptracehttp.WithTimeout(exportTimeout),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
		))
		// The batcher never blocks a request: where its queue is full, spans are dropped.
		opts = append(opts, sdktrace.WithBatcher(&quiet{SpanExporter: exporter, log: cfg.Log},
			sdktrace.WithBatchTimeout(exportEvery), sdktrace.WithExportTimeout(exportTimeout),
			sdktrace.WithMaxQueueSize(maxSpans), sdktrace.WithMaxExportBatchSize(maxBatch)))
	}
	return &telemetry{sdktrace.NewTracerProvider(opts...)}, nil
}

// close exports what waits, for a second at most.
func (t *telemetry) close(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		log.Debug("last traces not exported", "err", err)
	}
}

// quiet exports spans and drops those that nobody takes. It logs one line where that begins and one where it ends.
type quiet struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	away atomic.Bool
}

// ExportSpans never fails: a failure would be logged once a batch by the SDK's global handler.
func (q *quiet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := q.SpanExporter.ExportSpans(ctx, spans)
	switch away := err != nil; {
	case q.away.Swap(away) == away:
	case away:
		q.log.Warn("traces are not taken; they are dropped until they are", "err", err)
	default:
		q.log.Info("traces are taken")
	}
	return nil
}

// providerKey finds the service's tracer provider in the contexts of its requests and its work.
type providerKey struct{}

func (t *telemetry) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, providerKey{}, trace.TracerProvider(t.provider))
}

// tracer is that of the service whose request or work ctx belongs to; one that records nothing for any other.
func tracer(ctx context.Context) trace.Tracer {
	provider, ok := ctx.Value(providerKey{}).(trace.TracerProvider)
	if !ok {
		provider = otel.GetTracerProvider()
	}
	return provider.Tracer(scope)
}

// StartEvent starts a CONSUMER span for an event that came over a stream, linked to and continuing its traceparent; call
// the returned function with the outcome, once. ctx is that of work started by Go, or the span is not recorded.
func StartEvent(ctx context.Context, stream, group, traceparent, id, typ string) (context.Context, func(error)) {
	opts := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(
			attribute.String("messaging.system", "redis"),
			attribute.String("messaging.operation.name", "process"),
			attribute.String("messaging.operation.type", "process"),
			attribute.String("messaging.destination.name", stream),
			attribute.String("messaging.consumer.group.name", group),
			attribute.String("messaging.message.id", id),
			attribute.String("cloudevents.event_id", id),
			attribute.String("cloudevents.event_type", typ),
		),
	}
	cause := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(),
		propagation.MapCarrier{"traceparent": traceparent}))
	if cause.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, cause)
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: cause}))
	} else {
		opts = append(opts, trace.WithNewRoot())
	}
	ctx, span := tracer(ctx).Start(ctx, "process "+stream, opts...)
	return context.WithValue(ctx, eventKey{}, span), func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// skipReason is the attribute of a CONSUMER span that says why its event was not applied.
const skipReason = "stillup.skip.reason"

// eventKey finds the span of the event that a context's handler was given.
type eventKey struct{}

// Skip says that the event that ctx's handler was given is not applied, and why in words: "has version 5 already". Of one
// that is not told so it was applied. Where ctx is not that of an event's handler it does nothing.
func Skip(ctx context.Context, why string) {
	if span, ok := ctx.Value(eventKey{}).(trace.Span); ok {
		span.SetAttributes(attribute.String(skipReason, why))
	}
}

// SkipVersion is [Skip] of an event whose subject is there in that version, which is no older.
func SkipVersion(ctx context.Context, has int64) {
	Skip(ctx, fmt.Sprintf("has version %d already", has))
}

// TraceParent returns the W3C traceparent of ctx's span, empty for none.
func TraceParent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
