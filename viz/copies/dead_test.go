package copies_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

// silent is an address at which everybody is let in and nobody is answered.
func silent(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
		for _, c := range conns {
			c.Close()
		}
	})
	return ln.Addr().String()
}

// gone is an address at which nobody listens.
func gone(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// addresses of an engine's store at a host and port, with a password that must never be told.
var addresses = map[string]string{stores.Postgres: "postgres://shop:hunter2@HOST/shop?sslmode=disable", stores.MongoDB: "mongodb://shop:hunter2@HOST/shop?directConnection=true",
	stores.Redis: "redis://:hunter2@HOST/0"}

// TestDeadAndSilent: a store that is dead, silent, or cannot be asked at all says so within a second, and the others are
// there all the same. No address is told.
func TestDeadAndSilent(t *testing.T) {
	urls := stocked(t)
	for _, tc := range []struct {
		name string
		url  func(engine string) string
		why  string
	}{
		{"dead", func(engine string) string { return strings.ReplaceAll(addresses[engine], "HOST", gone(t)) }, "users-db refused the connection"},
		{"silent", func(engine string) string { return strings.ReplaceAll(addresses[engine], "HOST", silent(t)) }, "users-db did not answer within 0.7 s"},
		{"nowhere", func(string) string { return "" }, "no address of users-db is known"},
		{"no address", func(string) string { return "::hunter2@" }, "the address of users-db cannot be read"},
		{"of another engine", func(string) string { return "http://shop:hunter2@host" }, "the address of users-db cannot be read"},
	} {
		for _, engine := range []string{stores.Postgres, stores.MongoDB, stores.Redis} {
			t.Run(tc.name+" "+engine, func(t *testing.T) {
				t.Parallel() // they wait more than they work
				system := shop()
				at := &world.Place{Table: "users"}
				switch engine {
				case stores.MongoDB:
					at = &world.Place{Collection: "users"}
				case stores.Redis:
					at = &world.Place{Key: "user:{id}"}
				}
				system.Nodes[1].Engine, system.Nodes[1].Holds[0].At = engine, at
				with := map[string]string{"users-db": tc.url(engine), "seen-db": urls["seen-db"], "rank-db": urls["rank-db"], "apart-db": urls["apart-db"]}
				c := look(t, copies.Options{System: system, URLs: with})
				begun := time.Now()
				thing := read(t, c, "u-1")
				if took := time.Since(begun); took > 2500*time.Millisecond {
					t.Errorf("it took %v", took)
				}
				if r := of(thing, "users-db"); r.Found || r.Why != tc.why {
					t.Errorf("users-db: %q, want %q", r.Why, tc.why)
				}
				if r := of(thing, "rank-db"); !r.Found || fields(r) != "name=Ada own, cents=100 own, seen=5 own" || r.VersionsBehind != 0 {
					t.Errorf("rank-db: %+v", r)
				}
				_, _, err := c.Search(t.Context(), "users", "u", 5)
				if err == nil || err.Error() != tc.why {
					t.Errorf("search: %v", err)
				}
			})
		}
	}
}

// TestDownAndBack: a store's totals say that it is dead, and count again once it is back.
func TestDownAndBack(t *testing.T) {
	server := storestest.Start(t, stores.Redis)
	redisDo(t, server.URL, "HSET", "product:p-1", "name", "x")
	c := look(t, copies.Options{System: one(stores.Redis, &world.Place{Key: "product:{id}"}), URLs: map[string]string{"shop-db": server.URL}})
	if o := totals(t, c); o.Down != "" || o.Kinds[0].Count != 1 {
		t.Errorf("alive: %+v", o)
	}
	server.Kill()
	if o := totals(t, c); o.Down != "shop-db refused the connection" && o.Down != "shop-db broke the connection off" || len(o.Kinds) > 0 {
		t.Errorf("dead: %+v", o)
	}
	server.Start(t)
	if o := totals(t, c); o.Down != "" || o.Kinds[0].Count != 1 {
		t.Errorf("back: %+v", o)
	}
}

// TestRunWhileSilent: each store is asked on its own; one that is silent delays no other.
func TestRunWhileSilent(t *testing.T) {
	system, urls := shop(), stocked(t)
	urls["users-db"] = strings.ReplaceAll(addresses[stores.Postgres], "HOST", silent(t))
	delete(urls, "apart-db")
	c := look(t, copies.Options{System: system, URLs: urls})
	ctx, cancel := context.WithCancel(t.Context())
	seen, done := make(chan world.CopiesSeen), make(chan error, 1)
	go func() {
		done <- c.Run(ctx, func(obs ...world.Observation) {
			select {
			case seen <- obs[0].(world.CopiesSeen):
			case <-ctx.Done():
			}
		})
	}()
	var order []string
	down := map[string]string{}
	for range 4 {
		o := <-seen
		order, down[o.Node] = append(order, o.Node), o.Down
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if order[3] != "users-db" || down["users-db"] != "users-db did not answer within 0.7 s" || down["apart-db"] != "no address of apart-db is known" ||
		down["seen-db"]+down["rank-db"] != "" {
		t.Errorf("seen %v: %v", order, down)
	}
}
