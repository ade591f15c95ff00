package streams_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// record keeps what a tap hands over, as a receiver that counts would.
type record struct {
	mu      sync.Mutex
	batches int
	history []streams.Entry
	entries map[string][]streams.Entry // counted, by stream, since its last base
	times   map[[2]string]int          // how often each stream's id was counted, ever
	bases   map[string]int64
	lost    []string
	downs   int
	up      bool          // the last batch came from a bus that answers
	holdAt  string        // where a batch has entries of this stream,
	hold    chan struct{} // handle waits for this, unless it is nil
}

func (r *record) handle(b streams.Batch) {
	r.mu.Lock()
	hold := r.take(b)
	r.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

func (r *record) take(b streams.Batch) (hold chan struct{}) {
	r.batches++
	r.up = b.Down == nil
	if b.Down != nil {
		r.downs++
	}
	for _, name := range b.Lost {
		r.lost = append(r.lost, name)
		delete(r.bases, name)
		delete(r.entries, name)
	}
	for name, base := range b.Bases {
		r.bases[name] = base
		r.entries[name] = nil
	}
	for _, e := range b.Entries {
		if b.History {
			r.history = append(r.history, e)
		} else {
			r.entries[e.Stream] = append(r.entries[e.Stream], e)
			r.times[[2]string{e.Stream, e.ID}]++
		}
	}
	if slices.ContainsFunc(b.Entries, func(e streams.Entry) bool { return e.Stream == r.holdAt }) {
		return r.hold
	}
	return nil
}

// see reports whether ok holds of the record, which does not change meanwhile.
func (r *record) see(ok func(*record) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return ok(r)
}

// held makes the tap wait after the batch that stream's next entry comes with, and returns once it waits. When it is
// released it waits after the next batch for next, unless that is nil.
func (r *record) held(t *testing.T, rdb *redis.Client, stream string) (release func(next chan struct{})) {
	t.Helper()
	hold := make(chan struct{})
	open := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(open) // a test that failed meanwhile can end its tap
	var before int
	r.see(func(r *record) bool { r.holdAt, r.hold, before = stream, hold, len(r.entries[stream]); return true })
	publish(t, rdb, stream, event("hold", 1))
	eventually(t, "the tap waits", func() bool {
		return r.see(func(r *record) bool { return len(r.entries[stream]) > before })
	})
	return func(next chan struct{}) {
		r.see(func(r *record) bool { r.hold = next; return true })
		open()
	}
}

// count is how many entries were ever added to the stream, as the receiver knows it; -1 for a stream not followed.
func (r *record) count(stream string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	base, ok := r.bases[stream]
	if !ok {
		return -1
	}
	return base + int64(len(r.entries[stream]))
}

// read is how many of the stream's entries were counted ever, each of them once.
func (r *record) read(t *testing.T, stream string) (entries int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.times {
		switch {
		case id[0] != stream:
			continue
		case n != 1:
			t.Errorf("%s was counted %d times", id, n)
		}
		entries++
	}
	return entries
}

func (r *record) ids(stream string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return entryIDs(r.entries[stream])
}

func entryIDs(entries []streams.Entry) (ids []string) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// tap starts a tap and returns once it follows what there is; stop ends it and waits for that.
func tap(t *testing.T, tap *streams.Tap) (r *record, stop func()) {
	t.Helper()
	r = &record{
		bases: make(map[string]int64), entries: make(map[string][]streams.Entry), times: make(map[[2]string]int),
	}
	if tap.Log == nil {
		tap.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tap.Run(ctx, r.handle) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	eventually(t, "the first batch", func() bool { return r.see(func(r *record) bool { return r.batches > 0 }) })
	return r, stop
}

// added is how many entries were ever added to the stream, as Redis knows it.
func added(t *testing.T, rdb *redis.Client, stream string) int64 {
	t.Helper()
	info, err := rdb.XInfoStream(t.Context(), stream).Result()
	if err != nil {
		t.Fatal(err)
	}
	return info.EntriesAdded
}

// some is the events from the nth to the last about a subject.
func some(subject string, n, last int64) (events []streams.Event) {
	for ; n <= last; n++ {
		events = append(events, event(subject, n))
	}
	return events
}

func TestTapFollows(t *testing.T) {
	t.Parallel()
	server := streamstest.Start(t, "--appendonly", "no")
	rdb := server.Client()
	old := publish(t, rdb, "orders", some("o", 1, 5)...)
	publish(t, rdb, "stock", some("s", 1, 2)...)
	publish(t, rdb, "private", some("p", 1, 2)...)

	r, stop := tap(t, &streams.Tap{
		URL: server.URL(), History: 3, Match: func(stream string) bool { return stream != "private" },
	})
	r.see(func(r *record) bool {
		if ids := entryIDs(r.history); len(ids) != 5 || !slices.IsSorted(ids) {
			t.Errorf("history: %v", ids)
		}
		if want := map[string]int64{"orders": 5, "stock": 2}; !maps.Equal(r.bases, want) {
			t.Errorf("bases: %v, want %v", r.bases, want)
		}
		return true
	})

	newer := publish(t, rdb, "orders", some("o", 6, 900)...)
	late := publish(t, rdb, "orders.dead", some("d", 1, 3)...)
	eventually(t, "all is read", func() bool { return r.count("orders") == 900 && r.count("orders.dead") == 3 })
	stop()
	if got := r.ids("orders"); !slices.Equal(got, newer) || slices.Contains(got, old[4]) {
		t.Errorf("orders: %d entries, want %d", len(got), len(newer))
	}
	if got := r.ids("orders.dead"); !slices.Equal(got, late) {
		t.Errorf("a stream that appeared later: %v, want %v", got, late)
	}
	if e := r.entries["orders"][0]; e.Event.Subject != "o" || e.Event.Version != 6 || string(e.Event.Data) != `{"n":6}` {
		t.Errorf("event: %+v", e)
	}
	if r.count("private") != -1 || r.lost != nil || r.downs != 0 {
		t.Errorf("private counted %d, lost %v, down %d times", r.count("private"), r.lost, r.downs)
	}
}

func TestTapReadsForeignEntries(t *testing.T) {
	server := streamstest.Start(t, "--appendonly", "no")
	b := bench{t, server.Client(), "foreign"}
	r, stop := tap(t, &streams.Tap{URL: server.URL()})
	b.do("XADD", "foreign", "*", "type", "a.b", "id", "1", "source", "x", "extra", "kept")
	b.do("XADD", "foreign", "*", "ce_type", "a.b", "ce_id", "2", "ce_source", "x", "data", "no JSON")
	b.do("XADD", "foreign", "*", "temperature", "21")
	b.do("XADD", "foreign", "*", streams.Field, `{"specversion":"1.0"`, "beside", "it")
	b.do("XADD", "foreign", "*", streams.Field, "")
	eventually(t, "all is read", func() bool { return r.count("foreign") == 5 })
	stop()
	got := r.entries["foreign"]
	if e := got[0]; e.Err != nil || e.Event.ID != "1" || e.Raw != nil || !slices.Contains(e.Fields, [2]string{"extra", "kept"}) {
		t.Errorf("bare attributes: %+v", e)
	}
	if e := got[1]; e.Err != nil || e.Event.ID != "2" || string(e.Event.Data) != `"no JSON"` {
		t.Errorf("attributes with a prefix: %+v", e)
	}
	for _, e := range got[2:] {
		if !errors.Is(e.Err, streams.ErrNotEvent) || e.Event.ID != "" {
			t.Errorf("no event: %+v", e)
		}
	}
	if e := got[3]; string(e.Raw) != `{"specversion":"1.0"` || !slices.Equal(e.Fields, [][2]string{{"beside", "it"}}) {
		t.Errorf("broken envelope: %+v", e)
	}
}

func TestTapResumes(t *testing.T) {
	t.Parallel()
	server := streamstest.Start(t)
	rdb := server.Client()
	want := publish(t, rdb, "s", some("a", 1, 20)...)[20:]
	r, stop := tap(t, &streams.Tap{URL: server.URL()})
	for round := range int64(3) {
		want = append(want, publish(t, rdb, "s", some("b", 1, 100)...)...)
		server.Kill()
		eventually(t, "the tap knows that the bus is down", func() bool {
			return r.see(func(r *record) bool { return r.downs == int(round)+1 && !r.up })
		})
		server.Start()
		want = append(want, publish(t, rdb, "s", some("c", 1, 700)...)...)
		eventually(t, "the tap is back", func() bool { return r.count("s") == added(t, rdb, "s") })
	}
	stop()
	if got := r.ids("s"); !slices.Equal(got, want) {
		t.Errorf("read %d entries, want the %d published, each once", len(got), len(want))
	}
	if r.bases["s"] != 20 || r.lost != nil {
		t.Errorf("base %d, lost %v", r.bases["s"], r.lost)
	}
}

// checkCount checks that r counts the stream as Redis does, after it has read so many entries more than the 30 that it
// had, or than none where it lost the stream, and goes on so.
func checkCount(t *testing.T, rdb *redis.Client, r *record, stream string, lost bool, want int) {
	t.Helper()
	there := int64(-1)
	if info, err := rdb.XInfoStream(t.Context(), stream).Result(); err == nil {
		there = info.EntriesAdded
	}
	eventually(t, stream+": the count is right", func() bool {
		return r.count(stream) == there && r.see(func(r *record) bool { return lost == slices.Contains(r.lost, stream) })
	})
	if there < 0 {
		return
	}
	before := len(r.ids(stream))
	read := before // since the base of the new stream
	if !lost {
		read = r.read(t, stream) - 30
	}
	if read != want {
		t.Errorf("%s: read %d afterwards, want %d", stream, read, want)
	}
	last := publish(t, rdb, stream, some("d", 1, 3)...)
	eventually(t, stream+": what comes next is counted", func() bool { return r.count(stream) == there+3 })
	if got := r.ids(stream); len(got) != before+3 || !slices.Equal(got[before:], last) {
		t.Errorf("%s: read %v after %d, want %v", stream, got, before, last)
	}
}

func TestTapTakesNoPart(t *testing.T) {
	server := streamstest.Start(t, "--appendonly", "no")
	rdb := server.Client()
	publish(t, rdb, "s", some("a", 1, 20)...)
	rdb.ConfigResetStat(t.Context())
	changes := infoLine(t, rdb, "persistence", "rdb_changes_since_last_save:")

	r, stop := tap(t, &streams.Tap{URL: server.URL()})
	if clients := rdb.ClientList(t.Context()).Val(); strings.Count(clients, "name=stillup-tap") != 1 {
		t.Errorf("clients:\n%s", clients)
	}
	publish(t, rdb, "s", event("a", 21))
	eventually(t, "all is read", func() bool { return r.count("s") == 21 })
	stop()

	if got := infoLine(t, rdb, "persistence", "rdb_changes_since_last_save:"); got != "21" || changes != "20" {
		t.Errorf("changes to the data: %s and then %s, want 20 and 21", changes, got)
	}
	stats := rdb.Info(t.Context(), "commandstats").Val()
	allowed := []string{"ping", "client|setname", "client|list", "scan", "xinfo|stream", "xrevrange", "xrange", "xread", "info", "xadd", "config|resetstat"}
	for line := range strings.Lines(stats) {
		if name, ok := strings.CutPrefix(line, "cmdstat_"); ok {
			if name, _, _ = strings.Cut(name, ":"); !slices.Contains(allowed, name) {
				t.Errorf("the tap used %s", name)
			}
		}
	}
	if keys := rdb.Keys(t.Context(), "*").Val(); !slices.Equal(keys, []string{"s"}) {
		t.Errorf("keys: %q", keys)
	}
	if groups := rdb.XInfoGroups(t.Context(), "s").Val(); len(groups) != 0 {
		t.Errorf("groups: %v", groups)
	}
}

// infoLine is the rest of the line of INFO that begins so.
func infoLine(t *testing.T, rdb *redis.Client, section, prefix string) string {
	t.Helper()
	for line := range strings.Lines(rdb.Info(t.Context(), section).Val()) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("INFO %s has no line %s", section, prefix)
	return ""
}

func TestTapStops(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*testing.T, *streamstest.Server, *record)
	}{
		{"waiting for entries", func(t *testing.T, s *streamstest.Server, r *record) {
			publish(t, s.Client(), "s", event("a", 1))
			eventually(t, "it is read", func() bool { return r.count("s") == 1 })
		}},
		{"no streams", func(*testing.T, *streamstest.Server, *record) {}},
		{"dead bus", func(t *testing.T, s *streamstest.Server, r *record) {
			s.Kill()
			eventually(t, "the tap knows", func() bool { return r.see(func(r *record) bool { return r.downs > 0 }) })
		}},
		{"silent bus", func(_ *testing.T, s *streamstest.Server, _ *record) { s.Pause() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := streamstest.Start(t, "--appendonly", "no")
			r, stop := tap(t, &streams.Tap{URL: server.URL()})
			c.before(t, server, r)
			began := time.Now()
			stop()
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %v to end", took)
			}
		})
	}
}

func TestTapChecksItsURL(t *testing.T) {
	tap := streams.Tap{URL: "redis://:secret@host:port"}
	if err := tap.Run(t.Context(), func(streams.Batch) {}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Run: %v", err)
	}
}
