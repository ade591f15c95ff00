package streams_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

func TestTapOutlivesAWipe(t *testing.T) {
	t.Parallel()
	server := streamstest.Start(t)
	rdb := server.Client()
	publish(t, rdb, "s", some("a", 1, 20)...)
	publish(t, rdb, "never again", some("a", 1, 2)...)
	r, stop := tap(t, &streams.Tap{URL: server.URL()})
	publish(t, rdb, "s", some("b", 1, 10)...)
	eventually(t, "all is read", func() bool { return r.count("s") == 30 })

	server.Wipe()
	want := publish(t, rdb, "s", some("c", 1, 5)...)
	eventually(t, "the new stream is read", func() bool { return r.count("s") == 5 })
	if got := r.ids("s"); !slices.Equal(got, want) {
		t.Errorf("after the wipe: %v, want %v", got, want)
	}

	// The new one outgrows the old before the tap looks.
	release := r.held(t, rdb, "s")
	server.Wipe()
	want = publish(t, rdb, "s", some("d", 1, 100)...)
	release(nil)
	eventually(t, "the third stream is read", func() bool { return r.count("s") == 100 && len(r.ids("s")) == 100 })
	stop()
	if got := r.ids("s"); !slices.Equal(got, want) {
		t.Errorf("after the second wipe: %d entries, want %d", len(got), len(want))
	}
	slices.Sort(r.lost)
	if want := []string{"never again", "s", "s"}; !slices.Equal(r.lost, want) || r.bases["s"] != 0 {
		t.Errorf("lost %q, want %q; base %d", r.lost, want, r.bases["s"])
	}
}

// What becomes of a stream while the tap is busy shows in its count, whether the connection lasts or not.
func TestTapKeepsCount(t *testing.T) {
	cases := []struct {
		name string
		do   func(bench) // what happens to 50 entries of the past and the 100 unread ones after them
		lost bool
		read int // entries that are read afterwards
	}{
		{"trimmed unread", func(b bench) { b.trim(30) }, false, 30},
		{"trimmed to nothing", func(b bench) { b.trim(0) }, false, 0},
		{"trimmed read", func(b bench) { b.trim(120) }, false, 100},
		{"trimmed exactly what was read", func(b bench) { b.trim(100) }, false, 100},
		{"deleted unread", func(b bench) {
			for _, m := range b.rdb.XRevRangeN(b.t.Context(), b.stream, "+", "-", 5).Val() {
				b.do("XDEL", b.stream, m.ID)
			}
		}, false, 95},
		{"deleted what was read last", func(b bench) {
			m := b.rdb.XRangeN(b.t.Context(), b.stream, "-", "+", 50).Val()
			b.do("XDEL", b.stream, m[49].ID)
		}, false, 100},
		{"removed", func(b bench) { b.do("DEL", b.stream) }, true, 0},
		{"begun anew", func(b bench) { b.do("DEL", b.stream); publish(b.t, b.rdb, b.stream, some("n", 1, 7)...) }, true, 7},
		{"begun anew and longer", func(b bench) { b.do("DEL", b.stream); publish(b.t, b.rdb, b.stream, some("n", 1, 300)...) }, true, 300},
		{"no stream any more", func(b bench) { b.do("DEL", b.stream); b.do("SET", b.stream, "text") }, true, 0},
	}
	for _, cut := range []bool{false, true} {
		t.Run(fmt.Sprintf("cut %v", cut), func(t *testing.T) {
			t.Parallel()
			server := streamstest.Start(t, "--appendonly", "no")
			rdb := server.Client()
			for _, c := range cases {
				publish(t, rdb, c.name, some("a", 1, 20)...)
			}
			r, _ := tap(t, &streams.Tap{URL: server.URL()})
			for _, c := range cases {
				publish(t, rdb, c.name, some("b", 1, 30)...)
				eventually(t, "all is read", func() bool { return r.count(c.name) == 50 })
			}
			release := r.held(t, rdb, "hold")
			for _, c := range cases {
				publish(t, rdb, c.name, some("c", 1, 100)...)
			}
			now := time.Now().UnixMilli()
			eventually(t, "the clock ticks, so that a new stream has new ids", func() bool {
				return rdb.Time(t.Context()).Val().UnixMilli() > now
			})
			for _, c := range cases {
				c.do(bench{t, rdb, c.name})
			}
			if cut {
				bench{t, rdb, ""}.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			}
			release(nil)
			for _, c := range cases {
				checkCount(t, rdb, r, c.name, c.lost, c.read)
			}
		})
	}
}

// While a handle is slow the next reply waits, for longer than a silent bus is waited for.
func TestTapDoesNotTakeItsOwnSlownessForADeadBus(t *testing.T) {
	t.Parallel()
	server := streamstest.Start(t, "--appendonly", "no")
	rdb := server.Client()
	r, _ := tap(t, &streams.Tap{URL: server.URL()})
	publish(t, rdb, "s", event("a", 1))
	eventually(t, "the stream is followed", func() bool { return r.count("s") == 1 })
	release := r.held(t, rdb, "s")
	publish(t, rdb, "s", some("b", 1, 1400)...)
	slow := make(chan struct{})
	release(slow)
	time.AfterFunc(3300*time.Millisecond, func() {
		r.see(func(r *record) bool { r.hold = nil; return true })
		close(slow)
	})
	eventually(t, "all is read", func() bool { return r.count("s") == 1402 })
	if r.read(t, "s") != 1402 || !r.see(func(r *record) bool { return r.downs == 0 }) {
		t.Errorf("read %d, down %d times", r.read(t, "s"), r.downs)
	}
}

func TestTapStartsWithoutABus(t *testing.T) {
	server := streamstest.Start(t)
	publish(t, server.Client(), "s", some("a", 1, 7)...)
	server.Kill()
	r, _ := tap(t, &streams.Tap{URL: server.URL(), History: -1})
	if !r.see(func(r *record) bool { return r.downs == 1 && !r.up }) {
		t.Error("the first batch does not say that the bus is down")
	}
	server.Start()
	eventually(t, "the tap is up", func() bool { return r.count("s") == 7 })
	if !r.see(func(r *record) bool { return r.up && len(r.history) == 0 && len(r.entries["s"]) == 0 && r.downs == 1 }) {
		t.Errorf("up %v, history %d, entries %d, downs %d", r.up, len(r.history), len(r.entries["s"]), r.downs)
	}
}

// TestTapCountsOnceWhatBeganAnewUnseen: a stream that was removed and filled again while the tap read on is not read twice.
func TestTapCountsOnceWhatBeganAnewUnseen(t *testing.T) {
	server := streamstest.Start(t, "--appendonly", "no")
	rdb := server.Client()
	r, _ := tap(t, &streams.Tap{URL: server.URL()})
	publish(t, rdb, "s", some("a", 1, 50)...)
	eventually(t, "all is read", func() bool { return r.count("s") == 50 })
	for round := range int64(3) {
		clock := rdb.Time(t.Context()).Val().Add(time.Millisecond)
		eventually(t, "the clock ticks, so that a new stream has new ids", func() bool { return rdb.Time(t.Context()).Val().After(clock) })
		if err := rdb.Del(t.Context(), "s").Err(); err != nil {
			t.Fatal(err)
		}
		publish(t, rdb, "s", some("b", 1, 60)...)
		eventually(t, "the count is right", func() bool {
			return r.count("s") == 60 && r.see(func(r *record) bool { return len(r.lost) == int(round)+1 })
		})
		publish(t, rdb, "s", some("c", 1, 2)...)
		eventually(t, "what comes next is counted", func() bool { return r.count("s") == 62 })
		if n := r.read(t, "s"); n != 50+62*(int(round)+1) { // each once
			t.Errorf("round %d: read %d", round, n)
		}
	}
}

// TestTapReadsOnWhereATailIsLost: what was read of a stream before does not come again, whether more came since or not, and
// the count is Redis' own.
func TestTapReadsOnWhereATailIsLost(t *testing.T) {
	cases := []struct {
		name string
		more int64 // that come before the tap looks
	}{{"nothing since", 0}, {"less since", 7}, {"more than was lost since", 90}}
	for _, cut := range []bool{false, true} {
		t.Run(fmt.Sprintf("cut %v", cut), func(t *testing.T) {
			t.Parallel()
			server := streamstest.Start(t, "--appendonly", "no")
			rdb := server.Client()
			for _, c := range cases {
				aged(t, rdb, c.name, 90, 80)
			}
			r, _ := tap(t, &streams.Tap{URL: server.URL()})
			for _, c := range cases {
				aged(t, rdb, c.name, 70, 60, 50)
				publish(t, rdb, c.name, some("b", 1, 40)...)
				eventually(t, "all is read", func() bool { return r.count(c.name) == 45 })
			}
			release := r.held(t, rdb, "hold")
			var names []string
			for _, c := range cases {
				names = append(names, c.name)
			}
			if lost, err := streams.LoseLast(t.Context(), rdb, 30*time.Second, names...); err != nil || lost[0].N != 40 {
				t.Fatalf("lost %v, %v", lost, err)
			}
			for _, c := range cases {
				publish(t, rdb, c.name, some("c", 1, c.more)...)
			}
			if cut {
				bench{t, rdb, ""}.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			}
			release(nil)
			for _, c := range cases {
				eventually(t, c.name+": the count is right", func() bool {
					return r.count(c.name) == 5+c.more && r.see(func(r *record) bool { return slices.Contains(r.lost, c.name) })
				})
				publish(t, rdb, c.name, some("d", 1, 3)...)
				eventually(t, c.name+": what comes next is counted", func() bool { return r.count(c.name) == 8+c.more })
				if n := r.read(t, c.name); n != int(43+c.more)+3 { // each once: the aged, those lost, those since
					t.Errorf("%s: read %d", c.name, n)
				}
			}
		})
	}
}
