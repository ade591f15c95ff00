package traces

import (
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/stillup/stillup/viz/world"
)

// skipReason is the attribute by which a consumer says that it did not apply an event, and why in words. There is no
// convention for that.
const skipReason = "stillup.skip.reason"

// take reads a consumer's span; ok is false where it does not say which stream it came from, or whose it is, or where it
// is about the fetching of messages rather than the handling of one. Self is the node that made the span, empty for one
// that is unknown.
func (rc *Receiver) take(self string, span *tracepb.Span) (t world.TakeSeen, ok bool) {
	a := attributes(span.GetAttributes())
	t = world.TakeSeen{Node: self, Stream: a.text("messaging.destination.name"), Group: a.text("messaging.consumer.group.name"),
		EventID: a.text("cloudevents.event_id", "messaging.message.id"), Type: a.text("cloudevents.event_type")}
	kind := a.text("messaging.operation.type", "messaging.operation")
	if t.Stream == "" || t.Node == "" && t.Group == "" || kind == "receive" {
		return t, false
	}
	if t.Failed = span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR; t.Failed {
		t.Reason = span.GetStatus().GetMessage()
		if t.Reason == "" {
			t.Reason = a.text("error.type")
		}
	}
	if !t.Failed {
		t.Outcome = world.Applied
		if t.Why = a.text(skipReason); t.Why != "" {
			t.Outcome = world.Skipped
		}
	}
	t.Start, t.Duration = timed(span)
	t.TraceID, t.SpanID, t.ParentID = placed(span)
	return t, true
}
