package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// keepExchanged is how long a request or a reply stays on its stream, about: long enough to be looked at, and far beyond
// its use, so that the two streams hold a minute's traffic and no more.
const keepExchanged = time.Minute

// Errors of an ask beside its context's own.
var (
	// ErrBusDown is wrapped where the bus itself did not take the request or could not be read: nothing is known of
	// whoever was asked.
	ErrBusDown = errors.New("the bus does not do its part")
	// ErrTooManyAsks is wrapped where as many asks wait as are allowed to.
	ErrTooManyAsks = errors.New("too many asks wait for their replies")
)

// exchange appends a request or a reply and trims what is old, in one command.
func exchange(ctx context.Context, rdb redis.Cmdable, stream string, e Event) error {
	if err := e.Validate(); err != nil {
		return fmt.Errorf("streams: add to %s (%s): %w", stream, e.Type, err)
	}
	err := rdb.XAdd(ctx, &redis.XAddArgs{
		Stream: stream,
		MinID:  strconv.FormatInt(time.Now().Add(-keepExchanged).UnixMilli(), 10),
		Approx: true,
		Values: []any{Field, e.AppendJSON(make([]byte, 0, 256+len(e.Data)))},
	}).Err()
	if err != nil {
		return fmt.Errorf("%w: add to %s: %w", ErrBusDown, stream, err)
	}
	return nil
}

// deadlineOf is until when the asker waits, as the request's payload says it; zero where it does not.
func deadlineOf(request Event) time.Time {
	var data struct {
		Deadline time.Time `json:"deadline"`
	}
	if json.Unmarshal(request.Data, &data) != nil {
		return time.Time{} // whoever answers will say what is wrong with it
	}
	return data.Deadline
}
