package users

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestRemove: of those who signed up the oldest go, each with its event; those whom the shop begins with stay.
func TestRemove(t *testing.T) {
	s, err := open(chassis.Config{StoreURL: storestest.Postgres(t)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.pool.Close()
	j, err := s.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.made.Store(j)
	s.keep = 4
	for i := range 10 {
		// Their ids are in another order than they come in.
		if _, added, err := s.register(t.Context(), shop.User{ID: fmt.Sprintf("s-%d", 9-i), Name: "Ada", Email: "ada@example.com", Version: 1}); err != nil || !added {
			t.Fatal(added, err)
		}
	}
	for _, want := range []int{6, 0} {
		if n, err := s.remove(t.Context()); err != nil || n != want {
			t.Fatalf("%d, %v, want %d", n, err, want)
		}
	}
	var left int
	if err := s.pool.QueryRow(t.Context(), "select count(*) from users where id < 's-4' or id like 'u-%'").Scan(&left); err != nil || left != 204 {
		t.Errorf("%d are left, %v", left, err)
	}
	recs, err := j.outbox.Unsent(t.Context(), 1000)
	if err != nil || len(recs) != 216 {
		t.Fatal(len(recs), err)
	}
	removed := map[string]bool{}
	for _, r := range recs[210:] {
		var gone shop.Removed
		if err := json.Unmarshal(r.Event.Data, &gone); err != nil || r.Event.Type != shop.UserRemoved || r.Event.Version != 2 || gone.ID != r.Event.Subject {
			t.Errorf("%+v", r.Event)
		}
		removed[gone.ID] = true
	}
	for i := 4; i < 10; i++ {
		if !removed[fmt.Sprintf("s-%d", i)] {
			t.Errorf("s-%d is not told of", i)
		}
	}
}

// TestRepublish: every user is told of again as at first; then the marker.
func TestRepublish(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Postgres(t), bus.URL())
	seed := shop.SeedUsers()
	chassistest.AwaitTold(t, bus.Client(), shop.Users, len(seed))
	if status := chassistest.Call(url, http.MethodPost, "/jobs/republish", nil, nil); status != http.StatusAccepted {
		t.Fatalf("start: %d", status)
	}
	var p chassis.Progress
	chassistest.Eventually(t, "it is done", func() bool {
		chassistest.Get(url+"/jobs/republish", &p)
		return p.State == chassis.JobDone
	})
	told := chassistest.Told(t, bus.Client(), shop.Users)
	if len(told) != 2*len(seed)+1 {
		t.Fatalf("%d events", len(told))
	}
	for i, e := range told[len(seed) : 2*len(seed)] {
		first := told[i]
		if e.Type != first.Type || e.Subject != first.Subject || e.Version != first.Version || string(e.Data) != string(first.Data) || e.ID == first.ID {
			t.Errorf("%+v after %+v", e, first)
		}
	}
	if marker := told[2*len(seed)]; marker.Type != "users.republished.v1" || string(marker.Data) != `{"subjects":200}` {
		t.Errorf("marker: %+v", marker)
	}
}
