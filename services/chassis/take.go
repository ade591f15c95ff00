package chassis

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillup/stillup/streams"
)

// Takes is what a service does with each type of event that it knows; every other is none of its business.
type Takes map[string]func(ctx context.Context, e streams.Event) error

// Handler is the handler of a consumer in that group: each event is taken in a CONSUMER span of its own.
func (t Takes) Handler(group string) func(ctx context.Context, e streams.Entry) error {
	return func(ctx context.Context, e streams.Entry) error {
		take, known := t[e.Event.Type]
		if !known {
			return nil
		}
		ctx, end := StartEvent(ctx, e.Stream, group, e.Event.TraceParent, e.Event.ID, e.Event.Type)
		err := take(ctx, e.Event)
		end(err)
		return err
	}
}

// Payload reads the event's payload into v; one that cannot be read never will be, so the error is streams.Reject's.
func Payload(e streams.Event, v any) error {
	if err := json.Unmarshal(e.Data, v); err != nil {
		return streams.Reject(fmt.Errorf("payload of %s: %w", e.Type, err))
	}
	return nil
}
