package streams_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestReplay: what stands on the streams up to the points is handled in the order of the ids; what is no event or rejected is
// skipped, and the bus is left as it was.
func TestReplay(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	var want []string
	upTo := map[string]string{}
	for i := range 1500 { // more than are read at a time
		stream := []string{"a", "b"}[i/3%2]
		e := streams.Event{ID: fmt.Sprint(i), Source: stream, Type: "t.v1", Subject: "one"}
		ids, err := streams.Publish(t.Context(), rdb, stream, e)
		if err != nil {
			t.Fatal(err)
		}
		if upTo[stream] = ids[0]; i != 700 {
			want = append(want, e.ID)
		}
	}
	if err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "b", Values: []any{streams.Field, "{"}}).Err(); err != nil {
		t.Fatal(err)
	}
	upTo["b"] = rdb.XRevRangeN(t.Context(), "b", "+", "-", 1).Val()[0].ID
	upTo["none"] = "0-0"
	if _, err := streams.Publish(t.Context(), rdb, "a", streams.Event{ID: "later", Source: "a", Type: "t.v1"}); err != nil {
		t.Fatal(err)
	}
	c := &streams.Consumer{Redis: rdb, Group: "g", Name: "n", Streams: []string{"a", "b"},
		Handle: func(context.Context, streams.Entry) error { return errors.New("not this one") }}
	var got, ids []string
	entries := 0
	skipped, err := c.Replay(t.Context(), upTo, func(_ context.Context, e streams.Entry) error {
		if e.Event.ID == "700" {
			return streams.Reject(errors.New("never"))
		}
		got, ids = append(got, e.Event.ID), append(ids, fmt.Sprintf("%20s", e.ID)) // as long as each other, so that they sort
		return nil
	}, func(n int) { entries += n })
	if !slices.IsSorted(ids) {
		t.Error("they did not come in the order of their ids")
	}
	slices.Sort(got) // entries of both streams can have the same id
	slices.Sort(want)
	if err != nil || skipped != 2 || entries != 1501 || !slices.Equal(got, want) {
		t.Errorf("%d handled of %d, %d skipped, %d entries, %v", len(got), len(want), skipped, entries, err)
	}
	if keys := rdb.Keys(t.Context(), "*").Val(); len(keys) != 2 || len(rdb.XInfoGroups(t.Context(), "a").Val()) > 0 {
		t.Errorf("the bus has %v", keys)
	}
}
