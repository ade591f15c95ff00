package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// newStore is a store that keeps so many orders, without a relay at work.
func newStore(t *testing.T, keep int64) *store {
	t.Helper()
	s, err := open(chassis.Config{StoreURL: storestest.Postgres(t)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.pool.Close)
	j, err := s.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.made.Store(j)
	s.keep = keep
	return s
}

// place puts in orders o-00, o-01 and so on, a millisecond apart, in the states given.
func place(t *testing.T, s *store, states ...string) {
	t.Helper()
	for i, state := range states {
		o := shop.Order{ID: fmt.Sprintf("o-%02d", i), UserID: "u-1", ProductID: "p-1", Status: state, PlacedAt: noon.Add(time.Duration(i) * time.Millisecond), Version: 1}
		if _, added, err := s.add(t.Context(), o); err != nil || !added {
			t.Fatal(added, err)
		}
	}
}

// TestArchive: the oldest go, each with its event, as many as there are too many; an order that is not settled keeps what
// came after it, but not for ever.
func TestArchive(t *testing.T) {
	many := func(n int, state string) []string { return slices.Repeat([]string{state}, n) }
	for _, tt := range []struct {
		name   string
		keep   int64
		states []string
		gone   int // of the oldest
	}{
		{"few", 10, many(10, shop.Confirmed), 0},
		{"too many", 10, append(many(7, shop.Confirmed), many(8, shop.Refused)...), 5},
		{"one waits", 10, slices.Concat(many(2, shop.Confirmed), many(1, shop.Placed), many(12, shop.Confirmed)), 2},
		{"the first waits", 10, append(many(1, shop.Placed), many(14, shop.Confirmed)...), 0},
		{"one waits for too long", 5, append(many(1, shop.Placed), many(14, shop.Confirmed)...), 10}, // they are more than twice as many
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t, tt.keep)
			place(t, s, tt.states...)
			for {
				n, err := s.archive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					break
				}
			}
			left, err := s.newest(t.Context(), "u-1", 100)
			if err != nil || len(left) != len(tt.states)-tt.gone {
				t.Errorf("%d are left, %v, want %d without %d", len(left), err, len(tt.states), tt.gone)
			}
			recs, err := s.made.Load().outbox.Unsent(t.Context(), 1000)
			if err != nil {
				t.Fatal(err)
			}
			var archived []shop.Archived
			for _, r := range recs {
				if r.Event.Type != shop.OrderArchived {
					continue
				}
				var a shop.Archived
				if err := json.Unmarshal(r.Event.Data, &a); err != nil || a.ID != r.Event.Subject || r.Event.Version != 2 {
					t.Errorf("%+v of %+v", a, r.Event)
				}
				archived = append(archived, a)
			}
			if len(archived) != tt.gone {
				t.Fatalf("%d events, want %d", len(archived), tt.gone)
			}
			for i, a := range archived {
				if want := (shop.Archived{ID: fmt.Sprintf("o-%02d", i), UserID: "u-1", ProductID: "p-1", PlacedAt: noon.Add(time.Duration(i) * time.Millisecond)}); a != want {
					t.Errorf("event %d: %+v, want %+v", i, a, want)
				}
			}
		})
	}
}

// TestArchiveByTime: orders of one millisecond go together or not at all.
func TestArchiveByTime(t *testing.T) {
	s := newStore(t, 2)
	for i := range 6 {
		o := shop.Order{ID: fmt.Sprintf("o-%d", i), UserID: "u-1", Status: shop.Confirmed, PlacedAt: noon.Add(time.Duration(i/3) * time.Millisecond), Version: 1}
		if _, _, err := s.add(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{3, 0} { // not one of the other three, though one is too many
		if n, err := s.archive(t.Context()); err != nil || n != want {
			t.Errorf("%d, %v, want %d", n, err, want)
		}
	}
}

// TestRepublish: every order is told of again as it is, with its version, by the type of its last event; then the marker.
func TestRepublish(t *testing.T) {
	server := streamstest.Start(t)
	s := newStore(t, shop.KeptOrders)
	place(t, s, slices.Concat(slices.Repeat([]string{shop.Placed}, 3), slices.Repeat([]string{shop.Confirmed}, 250), []string{shop.Refused})...)
	if err := s.settle(t.Context(), "o-01", shop.Confirmed, ""); err != nil {
		t.Fatal(err)
	}
	url := start(t, s.pool.Config().ConnString(), server.URL(), nil)
	before := chassistest.AwaitTold(t, server.Client(), shop.Orders, 255)
	want := map[string]string{}
	for _, e := range before { // the last of each order
		want[e.Subject] = fmt.Sprintf("%s %d %s", e.Type, e.Version, e.Data)
	}
	if status := chassistest.Call(url, http.MethodPost, "/jobs/republish", nil, nil); status != http.StatusAccepted {
		t.Fatalf("start: %d", status)
	}
	var p chassis.Progress
	chassistest.Eventually(t, "it is done", func() bool {
		chassistest.Get(url+"/jobs/republish", &p)
		return p.State == chassis.JobDone
	})
	after := chassistest.Told(t, server.Client(), shop.Orders)[len(before):]
	if p.Done != 254 || p.Total != 254 || len(after) != 255 {
		t.Fatalf("%+v, %d events", p, len(after))
	}
	marker, after := after[254], after[:254]
	if marker.Type != "orders.republished.v1" || marker.Subject != "" || string(marker.Data) != `{"subjects":254}` {
		t.Errorf("marker: %+v", marker)
	}
	ids := map[string]bool{}
	for _, e := range before {
		ids[e.ID] = true
	}
	for _, e := range after {
		if got := fmt.Sprintf("%s %d %s", e.Type, e.Version, e.Data); got != want[e.Subject] || ids[e.ID] {
			t.Errorf("%s: %s, want %s; id known: %v", e.Subject, got, want[e.Subject], ids[e.ID])
		}
		delete(want, e.Subject)
	}
	if len(want) > 0 {
		t.Errorf("not told again: %v", want)
	}
}

// TestRepublishInPlace: what changes while it is published again keeps its order: the last word on an order is its newest.
func TestRepublishInPlace(t *testing.T) {
	s := newStore(t, shop.KeptOrders)
	place(t, s, slices.Repeat([]string{shop.Placed}, 60)...)
	ctx, cancel := context.WithTimeout(t.Context(), chassistest.Patience)
	defer cancel()
	settled := make(chan error, 1)
	go func() {
		for i := range 60 {
			if err := s.settle(ctx, fmt.Sprintf("o-%02d", i), shop.Confirmed, ""); err != nil {
				settled <- err
				return
			}
		}
		settled <- nil
	}()
	for cursor, more := "", true; more; more = cursor != "" {
		var err error
		if cursor, _, err = s.again(ctx, cursor, 7); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-settled; err != nil {
		t.Fatal(err)
	}
	recs, err := s.made.Load().outbox.Unsent(ctx, 1000)
	if err != nil || len(recs) != 180 {
		t.Fatal(len(recs), err)
	}
	last := map[string]outbox.Record{}
	for _, r := range recs {
		if was := last[r.Event.Subject]; was.Event.Version > r.Event.Version {
			t.Errorf("%s: version %d after %d", r.Event.Subject, r.Event.Version, was.Event.Version)
		}
		last[r.Event.Subject] = r
	}
	for id, r := range last {
		if r.Event.Version != 2 || !strings.Contains(string(r.Event.Data), shop.Confirmed) {
			t.Errorf("the last of %s is %+v", id, r.Event)
		}
	}
}
