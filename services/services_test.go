package services

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stillup/stillup/services/chassis"
)

// file is what these tests need of the system file.
type file struct {
	Nodes []struct {
		ID, Kind, Engine, Owner string
		Reaches, Emits, Takes   []string
	}
	Features []struct {
		ID       string
		Requests map[string]struct {
			Node  string
			Needs []string
		}
	}
}

func systemFile(t *testing.T) file {
	t.Helper()
	var f file
	if err := json.Unmarshal(System, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSystemFileAgrees: the file describes what the lab runs.
func TestSystemFileAgrees(t *testing.T) {
	want := map[string]string{Bus: "bus redis"}
	reaches := map[string][]string{}
	for _, s := range all {
		want[s.name] = "service "
		if s.client() {
			want[s.name] = "client "
		}
		if s.engine != "" {
			want[storeOf(s.name)] = "store " + s.engine
		}
		reaches[s.name] = s.reaches
	}
	got := map[string]string{}
	for _, n := range systemFile(t).Nodes {
		got[n.ID] = n.Kind + " " + n.Engine
		if n.Kind == "store" && n.ID != storeOf(n.Owner) {
			t.Errorf("store %s belongs to %s", n.ID, n.Owner)
		}
		if !slices.Equal(n.Reaches, reaches[n.ID]) {
			t.Errorf("%s reaches into %v, the file says %v", n.ID, reaches[n.ID], n.Reaches)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the file has %v, the lab runs %v", got, want)
	}
}

// TestNeedsAreWired: whatever a feature is declared to need can be reached from the service that answers it, over
// requests, the bus, its own store, or others' stores in the pattern shared; and nothing is declared that is not wired.
func TestNeedsAreWired(t *testing.T) {
	by := map[string]service{}
	for _, s := range all {
		by[s.name] = s
	}
	for _, f := range systemFile(t).Features {
		for pattern, r := range f.Requests {
			near := map[string]bool{r.Node: true, storeOf(r.Node): true}
			switch pattern {
			case chassis.Shared:
				for _, store := range by[r.Node].reaches {
					near[store] = true
				}
			case chassis.Sync, chassis.Bus:
				near[Bus] = pattern == chassis.Bus
				for todo := []string{r.Node}; len(todo) > 0; todo = todo[1:] {
					for _, peer := range by[todo[0]].calls {
						near[peer], near[storeOf(peer)] = true, true
						todo = append(todo, peer)
					}
				}
			}
			for _, need := range r.Needs {
				if !near[need] {
					t.Errorf("%s in %s needs %s, which %s cannot reach", f.ID, pattern, need, r.Node)
				}
			}
		}
	}
}

// TestCredentials: a service is told the address of its own store, and of others' only where it is declared to reach
// into them.
func TestCredentials(t *testing.T) {
	w, err := newWiring()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		w.urls[s.name] = "http://" + w.addr(s.name)
		if s.engine != "" {
			w.urls[storeOf(s.name)] = "postgres://user:secret-of-" + s.name + "@" + w.addr(storeOf(s.name))
		}
	}
	w.urls[Bus] = "redis://" + w.addr(Bus)
	for _, s := range all {
		env := strings.Join(Env(Lab{}.config(s, w)), "\n")
		for _, other := range all {
			may := other.name == s.name || slices.Contains(s.reaches, storeOf(other.name))
			if holds := strings.Contains(env, "secret-of-"+other.name); other.engine != "" && holds != may {
				t.Errorf("%s holds the credentials of %s's store: %v, want %v", s.name, other.name, holds, may)
			}
		}
	}
	listens := map[string]bool{}
	for _, l := range w.links {
		if listens[l.Listen] || l.Listen == l.Upstream {
			t.Errorf("link %+v has no address of its own", l)
		}
		listens[l.Listen] = true
	}
}

// TestInstanceIsTheHost: a replica that is told no name, as in a container, is called as its host.
func TestInstanceIsTheHost(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := FromEnv("orders", func(key string) string {
		return map[string]string{"STILLUP_ADDR": ":8004"}[key]
	})
	if err != nil || cfg.Instance != host {
		t.Errorf("called %q, want %q: %v", cfg.Instance, host, err)
	}
}

func TestEnvRoundTrip(t *testing.T) {
	cfg := chassis.Config{Name: "orders", Addr: "127.0.0.1:1", Instance: "orders-2", StoreURL: "postgres://a:b@c/d?e=f", BusURL: "redis://x:1",
		Peers: map[string]string{"users": "http://u:1", "catalog": "http://c:2"}, OTLPEndpoint: "http://o", OTLPToken: "t",
		OtherStores: map[string]string{"users-db": "postgres://a:b@c/d?e=f"}}
	env := map[string]string{}
	for _, pair := range Env(cfg) {
		k, v, _ := strings.Cut(pair, "=")
		env[k] = v
	}
	got, err := FromEnv("orders", func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(cfg)
	b, _ := json.Marshal(got)
	if string(a) != string(b) {
		t.Errorf("got %s, want %s", b, a)
	}
	for key, bad := range map[string]string{"STILLUP_ADDR": "", "STILLUP_PEERS": "users", "STILLUP_OTHER_STORES": "=postgres://x:geheim@y"} {
		_, err := FromEnv("orders", func(k string) string {
			if k == key {
				return bad
			}
			return env[k]
		})
		if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s=%q: %v", key, bad, err)
		}
	}
}

// TestStoresOfTheDashboard: pairs of node and address; what is wrong with them is told without an address.
func TestStoresOfTheDashboard(t *testing.T) {
	got, err := Stores("users-db=postgres://a:b@c/d?e=f,stock-db=redis://:b@c:1/0")
	if err != nil || len(got) != 2 || got["users-db"] != "postgres://a:b@c/d?e=f" || got["stock-db"] != "redis://:b@c:1/0" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"=postgres://x:geheim@y", "postgres://x:geheim@y", "postgres://x:geheim@y?sslmode=disable", "a=b,geheim"} {
		if _, err := Stores(bad); err == nil || !strings.Contains(err.Error(), "STILLUP_STORES") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
