package viz

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

// TestTourField: that a thing has changed is read from its owner's store, and only a change after the step began counts.
func TestTourField(t *testing.T) {
	url := storestest.Redis(t)
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	db := redis.NewClient(o)
	defer db.Close()
	set := func(note string) {
		t.Helper()
		if err := db.HSet(t.Context(), "order:o-1", "note", note, "version", 1).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("a pot")
	f := newFake()
	f.nodes = touring().Nodes
	f.states["orders-db"], f.states["tips"], f.states["tips-db"] = world.Up, world.Down, world.Down
	addr, _ := run(t, Options{System: touring(), Runtime: f, Chapters: chapters, StoreURLs: map[string]string{"orders-db": url}, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	_, sent := verdicts(t, "http://"+addr+"/api/v1/walkthrough/stop/change/live")
	comes(t, "the field is known", sent, func(v tour.Verdict) bool { return strings.Contains(v.Conditions[0].Sees, "a pot") })
	set("two pots")
	v := comes(t, "it has changed", sent, phase(tour.Done))
	if !v.Conditions[0].Holds {
		t.Errorf("%+v", v)
	}
}

// TestTourEnd: 600 listeners and as many sockets hold up neither each other nor the end.
func TestTourEnd(t *testing.T) {
	addr, end := run(t, Options{System: touring(), Runtime: newFake(), Chapters: chapters, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	var all []<-chan tour.Verdict
	for range 600 {
		resp, sent := verdicts(t, "http://"+addr+"/api/v1/walkthrough/stop/kill/live")
		if resp.StatusCode != 200 {
			t.Fatal(resp.StatusCode)
		}
		all = append(all, sent)
	}
	for range 300 {
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for _, sent := range all {
		comes(t, "it waits", sent, phase(tour.Waiting))
	}
	begun := time.Now()
	end() // which wants it within three seconds
	for _, sent := range all {
		for range sent { // until it ends
		}
	}
	t.Logf("the end took %v", time.Since(begun))
}

// TestServeRefusesBadChapters: a mistake in a chapter is told at start, with its file.
func TestServeRefusesBadChapters(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad := fstest.MapFS{"01-x.yaml": {Data: []byte("id: x\ntitel: y\n")}}
	err = Serve(t.Context(), ln, Options{System: system, Chapters: bad, BusURL: "redis://127.0.0.1:1", Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "01-x.yaml") || !strings.Contains(err.Error(), "titel") {
		t.Errorf("Serve: %v", err)
	}
}
