package streams_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// bench is a stream with a group in a test of Inspect. Entry n has the id n-0, so its time is n ms.
type bench struct {
	t      *testing.T
	rdb    *redis.Client
	stream string
}

func (b bench) do(args ...any) {
	b.t.Helper()
	if err := b.rdb.Do(b.t.Context(), args...).Err(); err != nil {
		b.t.Fatalf("%v: %v", args, err)
	}
}

func (b bench) add(from, to int) {
	b.t.Helper()
	_, err := b.rdb.Pipelined(b.t.Context(), func(p redis.Pipeliner) error {
		for n := from; n <= to; n++ {
			p.XAdd(b.t.Context(), &redis.XAddArgs{Stream: b.stream, ID: fmt.Sprintf("%d-0", n), Values: []any{"n", n}})
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// group creates the group after the id.
func (b bench) group(id string) {
	b.t.Helper()
	b.do("XGROUP", "CREATE", b.stream, "g", id, "MKSTREAM")
}

// read delivers n entries and acknowledges them.
func (b bench) read(n int) {
	b.t.Helper()
	for _, id := range b.deliver(n) {
		b.ack(id)
	}
}

// deliver delivers n entries and returns their ids.
func (b bench) deliver(n int) (ids []string) {
	b.t.Helper()
	got, err := b.rdb.XReadGroup(b.t.Context(), &redis.XReadGroupArgs{
		Group: "g", Consumer: "c", Streams: []string{b.stream, ">"}, Count: int64(n), Block: -1,
	}).Result()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range got[0].Messages {
		ids = append(ids, m.ID)
	}
	return ids
}

func (b bench) ack(id string) { b.t.Helper(); b.do("XACK", b.stream, "g", id) }

// trim leaves the n youngest entries.
func (b bench) trim(n int) { b.t.Helper(); b.do("XTRIM", b.stream, "MAXLEN", "=", n) }

func (b bench) del(n int) { b.t.Helper(); b.do("XDEL", b.stream, strconv.Itoa(n)+"-0") }

func TestInspectGroup(t *testing.T) {
	rdb := streamstest.Start(t, "--appendonly", "no").Client()
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	for _, c := range []struct {
		name string
		do   func(bench)
		want streams.Group // Name is filled in
	}{
		{"empty", func(b bench) { b.group("0") },
			streams.Group{Delivered: "0-0", Applied: "0-0"}},
		{"never read", func(b bench) { b.add(1, 9); b.group("0") },
			streams.Group{Lag: 9, Delivered: "0-0", Applied: "0-0", Oldest: at(1)}},
		{"caught up", func(b bench) { b.add(1, 9); b.group("0"); b.read(9) },
			streams.Group{Consumers: 1, Delivered: "9-0", Applied: "9-0"}},
		{"from the end", func(b bench) { b.add(1, 9); b.group("$") },
			streams.Group{Delivered: "9-0", Applied: "9-0"}},
		{"behind", func(b bench) { b.add(1, 9); b.group("0"); b.read(4) },
			streams.Group{Consumers: 1, Lag: 5, Delivered: "4-0", Applied: "4-0", Oldest: at(5)}},
		{"pending", func(b bench) {
			b.add(1, 9)
			b.group("0")
			b.deliver(6)
			b.ack("1-0")
			b.ack("2-0")
			b.ack("5-0")
		}, streams.Group{Consumers: 1, Pending: 3, Lag: 3, Delivered: "6-0", Applied: "2-18446744073709551615", Oldest: at(3)}},
		{"pending and trimmed", func(b bench) { b.add(1, 9); b.group("0"); b.deliver(9); b.trim(2) },
			streams.Group{Consumers: 1, Pending: 9, Delivered: "9-0", Applied: "0-18446744073709551615", Oldest: at(1)}},
		{"trimmed what was read", func(b bench) { b.add(1, 9); b.group("0"); b.read(6); b.trim(3) },
			streams.Group{Consumers: 1, Lag: 3, Delivered: "6-0", Applied: "6-0", Oldest: at(7)}},
		{"trimmed unread", func(b bench) { b.add(1, 9); b.group("0"); b.read(2); b.trim(3) },
			streams.Group{Consumers: 1, Lag: 3, Delivered: "2-0", Applied: "2-0", Oldest: at(7), TrimmedUnread: true, Missed: 4}},
		{"trimmed before the first read", func(b bench) { b.add(1, 9); b.group("0"); b.trim(3) },
			streams.Group{Lag: 3, Delivered: "0-0", Applied: "0-0", Oldest: at(7), TrimmedUnread: true, Missed: 6}},
		{"trimmed to nothing", func(b bench) { b.add(1, 9); b.group("0"); b.read(2); b.trim(0) },
			streams.Group{Consumers: 1, Delivered: "2-0", Applied: "2-0", TrimmedUnread: true, Missed: 7}},
		{"read on after a trim", func(b bench) { b.add(1, 9); b.group("0"); b.read(2); b.trim(5); b.read(1) },
			streams.Group{Consumers: 1, Lag: 4, Delivered: "5-0", Applied: "5-0", Oldest: at(6)}},
		{"caught up after a trim", func(b bench) {
			b.add(1, 9)
			b.group("0")
			b.read(2)
			b.trim(5)
			b.read(5)
			b.add(10, 10)
			b.del(10)
		},
			streams.Group{Consumers: 1, Delivered: "9-0", Applied: "9-0"}},
		{"begun in the middle", func(b bench) { b.add(1, 9); b.group("4-0") },
			streams.Group{Lag: 5, Delivered: "4-0", Applied: "4-0", Oldest: at(5)}},
		{"begun in the middle of a trimmed one", func(b bench) { b.add(1, 9); b.trim(7); b.group("4-0") },
			streams.Group{Lag: 5, Delivered: "4-0", Applied: "4-0", Oldest: at(5)}},
		{"deleted unread", func(b bench) { b.add(1, 9); b.group("0"); b.read(2); b.del(3); b.del(7) },
			streams.Group{Consumers: 1, Lag: 5, Delivered: "2-0", Applied: "2-0", Oldest: at(4)}},
		{"deleted read", func(b bench) { b.add(1, 9); b.group("0"); b.read(4); b.del(2) },
			streams.Group{Consumers: 1, Lag: 5, Delivered: "4-0", Applied: "4-0", Oldest: at(5)}},
		{"deleted the tail", func(b bench) { b.add(1, 9); b.group("0"); b.read(8); b.del(9) },
			streams.Group{Consumers: 1, Delivered: "8-0", Applied: "8-0"}},
		{"unknown: too many after a deletion to count", func(b bench) { b.add(1, 4000); b.group("0"); b.read(2); b.del(100) },
			streams.Group{Consumers: 1, Lag: -1, Delivered: "2-0", Applied: "2-0", Oldest: at(3)}},
		{"many behind on a trimmed stream", func(b bench) { b.add(1, 4000); b.group("0"); b.read(900); b.trim(3500) },
			streams.Group{Consumers: 1, Lag: 3100, Delivered: "900-0", Applied: "900-0", Oldest: at(901)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench{t, rdb, streamstest.Name(t, "s")}
			c.do(b)
			got, err := streams.Inspect(t.Context(), rdb, []string{b.stream})
			if err != nil {
				t.Fatal(err)
			}
			c.want.Name = "g"
			if len(got) != 1 || len(got[0].Groups) != 1 || !reflect.DeepEqual(got[0].Groups[0], c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestInspectStreams(t *testing.T) {
	server := streamstest.Start(t, "--appendonly", "no")
	rdb := server.Client()
	b := bench{t, rdb, "b"}
	b.add(3, 9)
	b.del(9)
	b.trim(4)
	b.do("XGROUP", "CREATE", "b", "second", "0")
	b.do("XGROUP", "CREATE", "b", "first", "$")
	b.do("XGROUP", "CREATE", "a", "alone", "$", "MKSTREAM")
	b.do("SET", "text", "no stream")

	got, err := streams.Inspect(t.Context(), rdb, []string{"missing", "b", "text", "a"})
	if err != nil || len(got) != 2 || got[0].Name != "b" || got[1].Name != "a" {
		t.Fatalf("Inspect: %+v, %v", got, err)
	}
	if s := got[0]; s.Length != 4 || s.Added != 7 || s.FirstID != "5-0" || s.LastID != "9-0" ||
		len(s.Groups) != 2 || s.Groups[0].Name != "first" || s.Groups[1].Name != "second" {
		t.Errorf("b: %+v", s)
	}
	if s := got[1]; s.Length != 0 || s.Added != 0 || s.FirstID != "" || s.LastID != "0-0" || len(s.Groups) != 1 {
		t.Errorf("a: %+v", s)
	}

	if got, err := streams.Inspect(t.Context(), rdb, nil); got != nil || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := streams.Inspect(ended, rdb, []string{"b"}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %v", err)
	}
	server.Kill()
	if got, err := streams.Inspect(t.Context(), rdb, []string{"b"}); err == nil {
		t.Errorf("of a dead bus: %+v", got)
	}
}
