package viz

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

// held is a system in which orders are owned in one store and copied in another, beside one that has its own.
var held = func() world.System {
	s := system
	s.Nodes = append(slices.Clone(system.Nodes),
		world.NodeSpec{ID: "orders-db", Kind: world.Store, Engine: "postgres", Owner: "orders", Holds: []world.Hold{{Kind: "orders",
			At: &world.Place{Table: "orders", Version: "version", Label: "note"}}}},
		world.NodeSpec{ID: "purchases-db", Kind: world.Store, Engine: "redis", Owner: "purchases", Holds: []world.Hold{{Kind: "orders", Copy: true,
			At: &world.Place{Key: "order:{id}", Version: "version"}}}},
		world.NodeSpec{ID: "apart-db", Kind: world.Store, Engine: "redis", Owner: "shoppers", Holds: []world.Hold{{Kind: "orders",
			At: &world.Place{Hash: "orders"}}}})
	s.Kinds = append(slices.Clone(system.Kinds), world.KindSpec{ID: "cars", Name: "cars"})
	return s
}()

// stored are the addresses of the stores of held, with an order in each.
func stored(t *testing.T) (urls map[string]string, copy *redis.Client) {
	t.Helper()
	urls = map[string]string{"orders-db": storestest.Postgres(t), "purchases-db": storestest.Redis(t), "apart-db": storestest.Redis(t)}
	storestest.Exec(t, urls["orders-db"], "create table orders (id text primary key, note text, version bigint); insert into orders values ('o/1', 'Two pots', 2)")
	o, err := redis.ParseURL(urls["purchases-db"])
	if err != nil {
		t.Fatal(err)
	}
	copy = redis.NewClient(o)
	t.Cleanup(func() { _ = copy.Close() })
	if err := copy.HSet(t.Context(), "order:o/1", "note", "A pot", "version", 1).Err(); err != nil {
		t.Fatal(err)
	}
	return urls, copy
}

// TestCopies: totals, search, one thing side by side, and what is wrong with a question.
func TestCopies(t *testing.T) {
	urls, _ := stored(t)
	addr, _ := run(t, Options{System: held, StoreURLs: urls, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	a := &api{t: t, url: "http://" + addr}
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	known := map[string]bool{}
	follow(t, conn, "all stores are counted", func(f world.Frame) bool {
		for _, h := range f.Copies {
			known[h.Node] = h.Known
		}
		return known["orders-db"] && known["purchases-db"] && known["apart-db"]
	})
	var all struct {
		At    string
		Kinds []kindHeldAnswer
	}
	get(t, a.url+"/api/v1/copies", &all)
	k := all.Kinds[0]
	if len(k.Holdings) != 3 || k.Kind != "orders" || k.OwnedBytes != k.Holdings[0].Bytes || k.CopiedBytes != k.Holdings[1].Bytes || k.Factor <= 1 ||
		k.Holdings[0].Count != 1 || k.Holdings[1].Count != 1 || k.Holdings[2].Count != 0 || len(all.Kinds[1].Holdings) != 0 || all.Kinds[1].Factor != 0 {
		t.Errorf("totals %+v", all)
	}
	a.expect(200, `"copies":[{"node":"orders-db","service":"orders","kind":"orders","copy":false,"known":true,"why":"","count":1,`, "GET", "/api/v1/world", "")
	a.expect(200, `{"kind":"orders","node":"orders-db","records":[{"id":"o/1","label":"Two pots","version":2}],"more":false}`, "GET", "/api/v1/copies/orders?q=pOTs", "")
	a.expect(200, `"records":[],"more":false`, "GET", "/api/v1/copies/orders?q=none&limit=100", "")
	b := a.expect(200, `"node":"orders-db"`, "GET", "/api/v1/copies/orders/o%2F1", "")
	var thing struct {
		Kind, ID, At string
		Records      []copies.Record
	}
	if err := json.Unmarshal(b, &thing); err != nil || thing.Kind != "orders" || thing.ID != "o/1" || len(thing.At) != len("2026-03-01T12:00:00.000Z") || len(thing.Records) != 3 {
		t.Fatalf("%v: %s", err, b)
	}
	if c := thing.Records[1]; c.Raw != "note: A pot\nversion: 1" || c.VersionsBehind != 1 || len(c.Fields) != 1 || c.Fields[0].Same != copies.Differs {
		t.Errorf("the copy is %+v", c)
	}
	for path, want := range map[string]struct {
		status int
		words  string
	}{
		"cars": {404, "; there are orders"}, "cars/1": {404, "cars"}, "cars/1/live": {404, "cars"}, "orders?limit=0": {400, "1 to 100"}, "orders?limit=101": {400, "1 to 100"},
		"orders?sort=up": {400, "unknown parameter"}, "orders?q=%0a": {400, "no id can"},
		"orders/" + strings.Repeat("x", 301): {400, "300 bytes"},
	} {
		a.expect(want.status, want.words, "GET", "/api/v1/copies/"+path, "")
	}
	a.expect(200, `stillup_held_things{kind="orders",node="purchases-db"} 1`, "GET", "/metrics", "")
	a.expect(200, `stillup_copy_stale_seconds{kind="orders",node="purchases-db"} 0`, "GET", "/metrics", "")
	a.expect(200, `"found":false`, "GET", "/api/v1/copies/orders/none", "")
	a.expect(405, "use GET", "POST", "/api/v1/copies", "")
	a.expect(200, "", "HEAD", "/api/v1/copies/orders/o%2F1/live", "")
}

// TestCopiesOfADeadStore: the others are there, and no address is told in an answer.
func TestCopiesOfADeadStore(t *testing.T) {
	urls, _ := stored(t)
	urls["orders-db"] = "postgres://shop:hunter2@127.0.0.1:1/shop"
	addr, _ := run(t, Options{System: held, StoreURLs: urls, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	a := &api{t: t, url: "http://" + addr}
	for _, b := range [][]byte{
		a.expect(503, "orders-db refused the connection", "GET", "/api/v1/copies/orders?q=o", ""),
		a.expect(200, `"why":"orders-db refused the connection"`, "GET", "/api/v1/copies/orders/o%2F1", ""),
		a.expect(200, `"raw":"note: A pot\nversion: 1"`, "GET", "/api/v1/copies/orders/o%2F1", ""),
		a.expect(200, `"known":false`, "GET", "/api/v1/copies", ""),
		a.expect(200, `"known":false`, "GET", "/api/v1/world", ""),
	} {
		if strings.Contains(string(b), "hunter2") {
			t.Errorf("a password is told: %s", b)
		}
	}
}

// stream reads what is sent of a thing until the test ends.
func stream(t *testing.T, url string) (*http.Response, <-chan thingAnswer) {
	t.Helper()
	resp, things, _ := sent(t, url, func(data string) (a thingAnswer, err error) {
		var thing struct{ Records []copies.Record }
		err = json.Unmarshal([]byte(data), &thing)
		a.Records = thing.Records
		return a, err
	})
	return resp, things
}

// TestCopiesLive: what changes is sent, to all that listen; 32 may, and who leaves makes room; the end of the dashboard ends the stream.
func TestCopiesLive(t *testing.T) {
	urls, copied := stored(t)
	addr, end := run(t, Options{System: held, StoreURLs: urls, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	url := "http://" + addr + "/api/v1/copies/orders/o%2F1/live"
	resp, sent := stream(t, url)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	shows := func(what string, is func(owner, copy copies.Record) bool) {
		t.Helper()
		late := time.After(20 * time.Second)
		for {
			select {
			case thing, ok := <-sent:
				if !ok {
					t.Fatalf("the stream ended before %s", what)
				}
				if is(thing.Records[0], thing.Records[1]) {
					return
				}
			case <-late:
				t.Fatalf("not seen: %s", what)
			}
		}
	}
	shows("the copy behind", func(owner, copy copies.Record) bool { return owner.Version == 2 && copy.VersionsBehind == 1 })
	if err := copied.HSet(t.Context(), "order:o/1", "note", "Two pots", "version", 2).Err(); err != nil {
		t.Fatal(err)
	}
	shows("the change arrives", func(_, copy copies.Record) bool {
		return copy.VersionsBehind == 0 && copy.Fields[0].Same == copies.Same
	})
	leave := func() {}
	for range copies.MaxReaders - 1 {
		resp, _ := stream(t, url)
		if resp.StatusCode != 200 {
			t.Fatalf("one more is refused: %d", resp.StatusCode)
		}
		leave = func() { resp.Body.Close() }
	}
	(&api{t: t, url: "http://" + addr}).expect(503, "32 are watching already", "GET", "/api/v1/copies/orders/another/live", "")
	leave()
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C { // the server sees in its own time that one has left
		if resp, _ := (&api{t: t, url: "http://" + addr}).do("HEAD", "/api/v1/copies/orders/another/live", ""); resp.StatusCode == 200 {
			tick.Stop()
			break
		}
	}
	end()
	for range sent { // until it ends
	}
}

// TestCopiesEnd: the dashboard ends in time though it waits for a store that is silent, and somebody watches.
func TestCopiesEnd(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel lets everybody in, and nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	urls := map[string]string{"orders-db": "postgres://" + silent.Addr().String() + "/shop?sslmode=disable", "purchases-db": "redis://" + silent.Addr().String()}
	addr, end := run(t, Options{System: held, StoreURLs: urls, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	_, sent := stream(t, "http://"+addr+"/api/v1/copies/orders/1/live")
	if thing := <-sent; !strings.Contains(thing.Records[0].Why, "orders-db") {
		t.Errorf("sent %+v", thing)
	}
	end() // which wants it within three seconds
}
