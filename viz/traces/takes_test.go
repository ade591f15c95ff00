package traces_test

import (
	"reflect"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stillup/stillup/viz/traces"
	"github.com/stillup/stillup/viz/world"
)

// TestTakes: consumer spans are handlings of events; what is about fetching, sending or nobody is dropped.
func TestTakes(t *testing.T) {
	bad := &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "no such user"}
	const consumer, producer = tracepb.Span_SPAN_KIND_CONSUMER, tracepb.Span_SPAN_KIND_PRODUCER
	ours := func(more ...any) []any {
		return append([]any{"messaging.system", "redis", "messaging.operation.type", "process", "messaging.destination.name", "orders",
			"messaging.consumer.group.name", "billing", "messaging.message.id", "m-1", "cloudevents.event_id", "e-1",
			"cloudevents.event_type", "order.placed.v1"}, more...)
	}
	for _, tc := range []struct {
		name    string
		service string
		kind    tracepb.Span_SpanKind
		attrs   []any
		status  *tracepb.Status
		want    world.TakeSeen // its times and ids are the same for all; Stream empty: no handling
	}{
		{"applied", "orders", consumer, ours(), nil,
			world.TakeSeen{Node: "orders", Group: "billing", Stream: "orders", EventID: "e-1", Type: "order.placed.v1", Outcome: world.Applied}},
		{"skipped", "orders", consumer, ours("stillup.skip.reason", "has version 5 already"), nil,
			world.TakeSeen{Node: "orders", Group: "billing", Stream: "orders", EventID: "e-1", Type: "order.placed.v1", Outcome: world.Skipped, Why: "has version 5 already"}},
		{"skipped, but failed", "orders", consumer, ours("stillup.skip.reason", "has version 5 already"), bad,
			world.TakeSeen{Node: "orders", Group: "billing", Stream: "orders", EventID: "e-1", Type: "order.placed.v1", Failed: true, Reason: "no such user"}},
		{"failed", "orders", consumer, ours(), bad,
			world.TakeSeen{Node: "orders", Group: "billing", Stream: "orders", EventID: "e-1", Type: "order.placed.v1", Failed: true, Reason: "no such user"}},
		{"failed, by its type alone", "orders", consumer, ours("error.type", "timeout"), &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR},
			world.TakeSeen{Node: "orders", Group: "billing", Stream: "orders", EventID: "e-1", Type: "order.placed.v1", Failed: true, Reason: "timeout"}},
		{"of a group alone", "stranger", consumer, ours(), nil,
			world.TakeSeen{Group: "billing", Stream: "orders", EventID: "e-1", Type: "order.placed.v1", Outcome: world.Applied}},
		{"no CloudEvents attributes", "orders", consumer, []any{"messaging.operation", "process", "messaging.destination.name", "jobs", "messaging.message.id", "1-0"}, nil,
			world.TakeSeen{Node: "orders", Stream: "jobs", EventID: "1-0", Outcome: world.Applied}},
		{"the fetching of messages", "orders", consumer, []any{"messaging.operation.type", "receive", "messaging.destination.name", "jobs"}, nil, world.TakeSeen{}},
		{"from nowhere", "orders", consumer, []any{"messaging.operation.type", "process"}, nil, world.TakeSeen{}},
		{"of nobody", "stranger", consumer, []any{"messaging.destination.name", "jobs"}, nil, world.TakeSeen{}},
		{"the sending of an event", "orders", producer, ours(), nil, world.TakeSeen{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var seen []world.TakeSeen
			h := traces.New(traces.Options{
				Node: func(name string) string { return map[string]string{"orders": "orders"}[name] },
				See: func(obs ...world.Observation) {
					for _, o := range obs {
						seen = append(seen, o.(world.TakesSeen).Takes...)
					}
				},
			})
			if w := post(t, h, export(t, tc.service, &tracepb.Span{Name: "process", Kind: tc.kind, Attributes: attrs(tc.attrs...), Status: tc.status}),
				"Content-Type", "application/x-protobuf"); w.Code != 200 {
				t.Fatalf("answered %d %q", w.Code, w.Body)
			}
			if tc.want.Stream == "" {
				if len(seen) != 0 {
					t.Errorf("seen %+v, want nothing", seen)
				}
				return
			}
			tc.want.Start, tc.want.Duration = time.Unix(1_700_000_000, 0).UTC(), 2*time.Millisecond
			tc.want.TraceID, tc.want.SpanID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
			if len(seen) != 1 || !reflect.DeepEqual(seen[0], tc.want) {
				t.Errorf("seen %+v\nwant [%+v]", seen, tc.want)
			}
		})
	}
}
