package services

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
)

// runShop is [runStores] for those who need the services alone.
func runShop(t *testing.T, busURL string, wired bool) map[string]string {
	t.Helper()
	urls, _ := runStores(t, busURL, wired)
	return urls
}

// runStores runs all services but the shoppers in this process on real stores until the test ends, and returns their
// addresses, and those of the stores by node, once all are ready. Where wired they know the addresses of whom they call and reach into, as in the lab.
func runStores(t *testing.T, busURL string, wired bool) (urls, storeURLs map[string]string) {
	t.Helper()
	fresh := map[string]func(testing.TB) string{
		stores.Postgres: storestest.Postgres, stores.MongoDB: storestest.Mongo, stores.Redis: storestest.Redis,
	}
	addrs := map[string]string{}
	urls, storeURLs = map[string]string{}, map[string]string{}
	for _, s := range all {
		if s.client() {
			continue
		}
		addrs[s.name] = chassistest.Unused(t)
		urls[s.name] = "http://" + addrs[s.name]
		storeURLs[storeOf(s.name)] = fresh[s.engine](t)
	}
	for _, s := range all {
		if s.client() {
			continue
		}
		cfg := chassis.Config{Name: s.name, Addr: addrs[s.name], StoreURL: storeURLs[storeOf(s.name)], BusURL: busURL,
			Peers: map[string]string{}, OtherStores: map[string]string{}, Log: slog.New(slog.DiscardHandler)}
		if wired {
			for _, peer := range s.calls {
				cfg.Peers[peer] = urls[peer]
			}
			for _, store := range s.reaches {
				cfg.OtherStores[store] = storeURLs[store]
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- Run(ctx, cfg) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	for name, url := range urls {
		awaitThat(t, name+" is ready", func() bool { return chassistest.Get(url+"/readyz", nil) == http.StatusOK })
	}
	return urls, storeURLs
}

// awaitThat has more patience than one service needs: here all of them share the machine.
func awaitThat(t testing.TB, what string, cond func() bool) {
	t.Helper()
	awaitWithin(t, 20*time.Second, what, cond)
}

// awaitWithin asks until it is so: what services do in processes and stores of their own gives no other signal.
func awaitWithin(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(within); !cond(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
