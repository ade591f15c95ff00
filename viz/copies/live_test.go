package copies_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

func watch(t testing.TB, c *copies.Copies, id string) *copies.Reader {
	t.Helper()
	r, err := c.Watch("users", id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// until waits for a look at the thing that shows what is wanted.
func until(t testing.TB, r *copies.Reader, what string, shows func(copies.Thing) bool) copies.Thing {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		thing, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("not seen: %s: %v", what, err)
		}
		if shows(thing) {
			return thing
		}
	}
}

// TestWatch: a change is seen where it is made, is seen to be missing in the copies, and is seen to arrive, while another
// store is silent; nothing is told while nothing changes.
func TestWatch(t *testing.T) {
	urls := stocked(t)
	urls["apart-db"] = strings.ReplaceAll(addresses[stores.Redis], "HOST", silent(t))
	c := look(t, copies.Options{System: shop(), URLs: urls})
	r, same := watch(t, c, "u-1"), watch(t, c, "u-1")
	first := until(t, r, "all but the silent one", func(thing copies.Thing) bool {
		return of(thing, "users-db").Found && of(thing, "seen-db").Found && of(thing, "rank-db").Found && of(thing, "apart-db").Why != ""
	})
	if why := of(first, "apart-db").Why; why != "apart-db has not answered yet" {
		t.Errorf("the silent store held the others up: %s", why)
	}
	until(t, r, "the silence", func(thing copies.Thing) bool {
		return of(thing, "apart-db").Why == "apart-db did not answer within 0.7 s"
	})
	storestest.Exec(t, urls["users-db"], "update users set name = 'Ada Kim-Lee', version = 4")
	changed := time.Now()
	until(t, r, "the change", func(thing copies.Thing) bool {
		return of(thing, "users-db").Version == 4 && strings.HasPrefix(fields(of(thing, "seen-db")), "name=Ada Kim differs") && of(thing, "rank-db").VersionsBehind == 2
	})
	if took := time.Since(changed); took > 5*time.Second {
		t.Errorf("the change was seen after %v", took)
	}
	redisDo(t, urls["rank-db"], "HSET", "user:u-1", "name", "Ada Kim-Lee", "version", 4)
	until(t, r, "its arrival", func(thing copies.Thing) bool {
		return of(thing, "rank-db").VersionsBehind == 0 && strings.HasPrefix(fields(of(thing, "rank-db")), "name=Ada Kim-Lee same")
	})
	until(t, same, "the same by another reader", func(thing copies.Thing) bool { return of(thing, "rank-db").Version == 4 })
	quiet, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if thing, err := r.Next(quiet); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nothing changed, and it was told: %+v, %v", thing, err)
	}
}

// TestWatchBounds: so many watch at once and no more; whoever leaves makes room; the end of all ends every watching.
func TestWatchBounds(t *testing.T) {
	c := copies.New(copies.Options{System: shop()})
	defer c.Close()
	if _, err := c.Watch("cars", "c-1"); !errors.Is(err, copies.ErrUnknownKind) {
		t.Errorf("of no kind: %v", err)
	}
	var all []*copies.Reader
	for i := range copies.MaxReaders {
		r, err := c.Watch("users", strings.Repeat("u", i%3+1))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if _, err := c.Watch("users", "u"); !errors.Is(err, copies.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	all[0].Close()
	all[0].Close() // twice is once
	r, err := c.Watch("users", "u")
	if err != nil {
		t.Fatalf("after one has left: %v", err)
	}
	if _, err := c.Watch("users", "u"); !errors.Is(err, copies.ErrFull) {
		t.Errorf("one too many again: %v", err)
	}
	if _, err := r.Next(t.Context()); err != nil {
		t.Errorf("the first look: %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := r.Next(context.Background())
		ended <- err
	}()
	c.Close()
	if err := <-ended; !errors.Is(err, copies.ErrClosed) {
		t.Errorf("at the end: %v", err)
	}
	if _, err := c.Watch("users", "u"); !errors.Is(err, copies.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestWatchAges: how long a copy is behind is told anew each second, not with every look.
func TestWatchAges(t *testing.T) {
	urls, since := stocked(t), time.Now()
	c := look(t, copies.Options{System: shop(), URLs: urls, Missing: func(store, _, _ string, _, _ int64) (m world.Missing) {
		if store == "rank-db" {
			m = world.Missing{Events: 1, Oldest: since}
		}
		return m
	}})
	r := watch(t, c, "u-1")
	ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer cancel()
	told := 0
	for {
		if _, err := r.Next(ctx); err != nil {
			break
		}
		told++
	}
	if told < 3 || told > 6 {
		t.Errorf("told %d times in 2.5 s, want once a second", told)
	}
}

// TestNoCopyIsAhead: the owner had every change first, and so it is shown, though each store is looked at on its own; an owner
// that really has an older one than a copy is shown so.
func TestNoCopyIsAhead(t *testing.T) {
	urls := stocked(t)
	storestest.Exec(t, urls["users-db"], "update users set version = 11") // no less than what the other copy has
	c := look(t, copies.Options{System: shop(), URLs: urls})
	r := watch(t, c, "u-1")
	until(t, r, "the first look", func(thing copies.Thing) bool { return of(thing, "users-db").Found && of(thing, "rank-db").Found })
	change := func(node string, version int) {
		if node == "users-db" {
			storestest.Exec(t, urls[node], "update users set version = $1", version)
			return
		}
		redisDo(t, urls[node], "HSET", "user:u-1", "version", version)
	}
	for version := 12; version < 17; version++ {
		change("users-db", version)
		change("rank-db", version)
		until(t, r, "the change", func(thing copies.Thing) bool {
			owner, copied := of(thing, "users-db").Version, of(thing, "rank-db").Version
			if copied > owner {
				t.Errorf("the copy has %d while its owner has %d", copied, owner)
			}
			return copied == int64(version)
		})
	}
	change("rank-db", 99)
	until(t, r, "a copy that is ahead", func(thing copies.Thing) bool {
		return of(thing, "rank-db").Version == 99 && of(thing, "users-db").Version == 16
	})
}
