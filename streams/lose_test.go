package streams_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// aged adds entries that are so many seconds old by the server's clock, oldest first, and returns their ids.
func aged(t *testing.T, rdb *redis.Client, stream string, seconds ...int) (ids []string) {
	t.Helper()
	now, err := rdb.Time(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range seconds {
		id := fmt.Sprintf("%d-%d", now.Add(-time.Duration(s)*time.Second).UnixMilli(), i)
		e := event(fmt.Sprintf("s-%d", i), 1)
		if err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: id, Values: []any{streams.Field, e.AppendJSON(nil), "beside", i}}).Err(); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// take has a group's consumer read n entries and acknowledge the first of them.
func take(t *testing.T, rdb *redis.Client, stream, group, consumer string, n, ack int) {
	t.Helper()
	read, err := rdb.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: consumer, Streams: []string{stream, ">"}, Count: int64(n)}).Result()
	if err != nil || len(read) != 1 || len(read[0].Messages) != n {
		t.Fatalf("read %v, %v; want %d", read, err, n)
	}
	for _, m := range read[0].Messages[:ack] {
		if err := rdb.XAck(t.Context(), stream, group, m.ID).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func group(t *testing.T, rdb *redis.Client, stream, name string) {
	t.Helper()
	if err := rdb.XGroupCreateMkStream(t.Context(), stream, name, "0").Err(); err != nil {
		t.Fatal(err)
	}
}

// TestLoseLast: ids, counts, groups and pending entries are what they were, and all goes on from there.
func TestLoseLast(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	ctx := t.Context()
	group(t, rdb, "orders", "fast")
	group(t, rdb, "orders", "slow")
	group(t, rdb, "orders", "never")
	ids := aged(t, rdb, "orders", 90, 80, 70, 60, 8, 6, 4, 2)
	take(t, rdb, "orders", "fast", "a", 3, 2) // holds the third
	take(t, rdb, "orders", "fast", "b", 4, 1) // holds three, of which two will be lost
	take(t, rdb, "orders", "slow", "a", 2, 2)
	trimmed := aged(t, rdb, "users", 50, 40, 3)
	if n, err := streams.Trim(ctx, rdb, "users", 2); err != nil || n != 1 {
		t.Fatalf("trimmed %d, %v", n, err)
	}
	aged(t, rdb, "orders.dead", 5)
	lost, err := streams.LoseLast(ctx, rdb, 30*time.Second, "orders", "users", "orders.dead", "none")
	want := []streams.Lost{{"orders", 4}, {"users", 1}, {"orders.dead", 0}, {"none", 0}}
	if err != nil || !slices.Equal(lost, want) {
		t.Fatalf("lost %v, %v; want %v", lost, err, want)
	}
	found, err := streams.Inspect(ctx, rdb, []string{"orders", "users", "orders.dead", "none", "{orders}:losing"})
	if err != nil || len(found) != 3 {
		t.Fatalf("found %+v, %v", found, err)
	}
	orders := found[0]
	if orders.Length != 4 || orders.Added != 4 || orders.LastID != ids[3] || orders.FirstID != ids[0] {
		t.Errorf("orders is %+v", orders)
	}
	if u := found[1]; u.Length != 1 || u.Added != 2 || u.LastID != trimmed[1] {
		t.Errorf("users is %+v", u)
	}
	groups := map[string]streams.Group{}
	for _, g := range orders.Groups {
		groups[g.Name] = g
	}
	if g := groups["fast"]; g.Delivered != ids[3] || g.Lag != 0 || g.Pending != 1 || g.Consumers != 2 {
		t.Errorf("fast is %+v", g)
	}
	if g := groups["slow"]; g.Delivered != ids[1] || g.Lag != 2 || g.Pending != 0 {
		t.Errorf("slow is %+v", g)
	}
	if g := groups["never"]; g.Delivered != "0-0" || g.Lag != 4 {
		t.Errorf("never is %+v", g)
	}
	raw, err := rdb.XInfoGroups(ctx, "orders").Result()
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]int64{}
	for _, g := range raw {
		read[g.Name] = g.EntriesRead
	}
	if want := map[string]int64{"fast": 4, "slow": 2, "never": 0}; !maps.Equal(read, want) {
		t.Errorf("read %v, want %v", read, want)
	}
	left, err := rdb.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: "orders", Group: "fast", Start: "-", End: "+", Count: 10}).Result()
	if err != nil || len(left) != 1 || left[0].ID != ids[2] || left[0].Consumer != "a" || left[0].RetryCount != 1 {
		t.Errorf("pending %+v, %v", left, err)
	}
	entries, err := rdb.XRange(ctx, "orders", "-", "+").Result()
	if err != nil || len(entries) != 4 || entries[3].Values["beside"] != "3" {
		t.Errorf("entries %v, %v", entries, err)
	}
	// It goes on: what is new is counted and read from there.
	publish(t, rdb, "orders", event("new", 1))
	take(t, rdb, "orders", "fast", "a", 1, 1)
	found, err = streams.Inspect(ctx, rdb, []string{"orders"})
	if err != nil || found[0].Added != 5 || found[0].Groups[0].Lag != 0 {
		t.Errorf("then %+v, %v", found, err)
	}
}

// TestLoseLastOfAll: a stream whose every entry is young stands empty, with its groups.
func TestLoseLastOfAll(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	group(t, rdb, "orders", "g")
	aged(t, rdb, "orders", 3, 2, 1)
	take(t, rdb, "orders", "g", "a", 2, 1)
	aged(t, rdb, "lone", 1)
	lost, err := streams.LoseLast(t.Context(), rdb, time.Minute, "orders", "lone")
	if err != nil || !slices.Equal(lost, []streams.Lost{{"orders", 3}, {"lone", 1}}) {
		t.Fatalf("lost %v, %v", lost, err)
	}
	found, err := streams.Inspect(t.Context(), rdb, []string{"orders", "lone"})
	if err != nil || len(found) != 2 {
		t.Fatalf("found %+v, %v", found, err)
	}
	for _, s := range found {
		if s.Length != 0 || s.Added != 0 || s.LastID != "0-0" {
			t.Errorf("%+v is not empty", s)
		}
	}
	if g := found[0].Groups; len(g) != 1 || g[0].Pending != 0 || g[0].Lag != 0 {
		t.Errorf("groups %+v", g)
	}
	if again, err := streams.LoseLast(t.Context(), rdb, time.Minute, "orders"); err != nil || again[0].N != 0 {
		t.Errorf("again %v, %v", again, err)
	}
}

// TestLoseLastChangesNothingWhereItCannot: an entry that a script cannot write is no reason to lose the stream.
func TestLoseLastChangesNothingWhereItCannot(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	var wide []any
	for i := range 5000 {
		wide = append(wide, fmt.Sprint(i), i)
	}
	if err := rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: "wide", ID: "5-0", Values: wide}).Err(); err != nil {
		t.Fatal(err)
	}
	group(t, rdb, "wide", "g")
	aged(t, rdb, "wide", 1)
	if _, err := streams.LoseLast(t.Context(), rdb, time.Minute, "wide"); err == nil || !strings.Contains(err.Error(), "lose the last 1m0s of wide") {
		t.Errorf("error %v", err)
	}
	found, err := streams.Inspect(t.Context(), rdb, []string{"wide", "{wide}:losing"})
	if err != nil || len(found) != 1 || found[0].Length != 2 || len(found[0].Groups) != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestLoseAll(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	group(t, rdb, "orders", "g")
	aged(t, rdb, "orders", 3, 2, 1)
	aged(t, rdb, "orders.dead", 1)
	lost, err := streams.LoseAll(t.Context(), rdb, "orders", "orders.dead", "none")
	if err != nil || !slices.Equal(lost, []streams.Lost{{"orders", 3}, {"orders.dead", 1}, {"none", 0}}) {
		t.Fatalf("lost %v, %v", lost, err)
	}
	if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys are left, %v", n, err)
	}
	if lost, err := streams.LoseAll(t.Context(), rdb); err != nil || lost != nil {
		t.Errorf("of nothing: %v, %v", lost, err)
	}
}

// TestTrimmedUnread: a trim past a group is counted, and told until it reads on.
func TestTrimmedUnread(t *testing.T) {
	rdb := streamstest.Start(t).Client()
	group(t, rdb, "orders", "g")
	group(t, rdb, "orders", "none")
	aged(t, rdb, "orders", 9, 8, 7, 6, 5)
	take(t, rdb, "orders", "g", "a", 1, 1)
	if n, err := streams.Trim(t.Context(), rdb, "orders", 1); err != nil || n != 4 {
		t.Fatalf("trimmed %d, %v", n, err)
	}
	see := func() []streams.Group {
		found, err := streams.Inspect(t.Context(), rdb, []string{"orders"})
		if err != nil {
			t.Fatal(err)
		}
		return found[0].Groups
	}
	if g := see(); !g[0].TrimmedUnread || g[0].Missed != 3 || !g[1].TrimmedUnread || g[1].Missed != 4 {
		t.Errorf("groups %+v", g)
	}
	take(t, rdb, "orders", "g", "a", 1, 1)
	if g := see(); g[0].TrimmedUnread || g[0].Missed != 0 || g[1].Missed != 4 {
		t.Errorf("then %+v", g)
	}
	if _, err := streams.Trim(t.Context(), rdb, "orders", -1); err == nil {
		t.Error("trimmed to -1")
	}
}
