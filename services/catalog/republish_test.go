package catalog

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestRepublish: every product is told of again, also while prices change: the last word on each is its newest version, and
// after all of them comes the marker.
func TestRepublish(t *testing.T) {
	bus := streamstest.Start(t)
	url := start(t, storestest.Mongo(t), bus.URL())
	chassistest.Ready(t, url)
	seed := len(shop.Products())
	chassistest.AwaitTold(t, bus.Client(), shop.Catalog, seed)
	const changes = 40
	changed := make(chan int)
	go func() {
		n := 0
		for i := range changes {
			if chassistest.Call(url, http.MethodPut, "/sync/products/p-03/price", price(20_000+i), nil) == http.StatusOK {
				n++
			}
		}
		changed <- n
	}()
	if status := chassistest.Call(url, http.MethodPost, "/jobs/republish", nil, nil); status != http.StatusAccepted {
		t.Fatalf("start: %d", status)
	}
	if n := <-changed; n != changes {
		t.Fatalf("%d changes", n)
	}
	chassistest.Eventually(t, "it is done", func() bool {
		var p chassis.Progress
		chassistest.Get(url+"/jobs/republish", &p)
		return p.State == chassis.JobDone
	})
	told := chassistest.AwaitTold(t, bus.Client(), shop.Catalog, 2*seed+changes+1)
	if len(told) != 2*seed+changes+1 {
		t.Errorf("%d events, want %d", len(told), 2*seed+changes+1)
	}
	times, last := map[string]int{}, map[string]int64{}
	for _, e := range told {
		if e.Type == "catalog.republished.v1" {
			if len(times) != seed {
				t.Errorf("before the marker came events of %d products", len(times))
			}
			for id, n := range times {
				if n < 2 {
					t.Errorf("%s is told of %d times before the marker", id, n)
				}
			}
			continue
		}
		times[e.Subject]++
		var p shop.Product
		if err := json.Unmarshal(e.Data, &p); err != nil || p.Version != e.Version || e.Version < last[e.Subject] {
			t.Errorf("%+v after version %d", e, last[e.Subject])
		}
		last[e.Subject] = e.Version
	}
	if times["p-03"] != changes+2 || last["p-03"] != changes+1 || times["p-04"] != 2 {
		t.Errorf("%v %v", times, last)
	}
}
