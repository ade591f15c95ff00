package services

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestRebuildUnderTraffic: each copy is wiped and rebuilt while people buy, sign up and prices change: from the whole log, and
// from one whose beginning is trimmed, which its owners make whole first. Afterwards all patterns agree.
func TestRebuildUnderTraffic(t *testing.T) {
	server := streamstest.Start(t)
	bus := server.Client()
	urls := runShop(t, server.URL(), true)
	users, products := shop.SeedUsers(), shop.Products()
	awaitThat(t, "orders has its copies", func() bool {
		in := shop.NewOrder{ID: "first", UserID: users[199].ID, ProductID: products[23].ID, Quantity: 1}
		return chassistest.Call(urls["orders"], http.MethodPost, "/copies/orders", in, nil) < 300
	})

	var traffic sync.WaitGroup
	ctx, end := context.WithCancel(t.Context())
	var n, unready atomic.Int64
	for range 2 { // a load that the embedded MongoDB keeps up with, after a beginning that is faster
		traffic.Go(func() {
			pace := time.NewTicker(150 * time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				if n.Load() > 150 {
					<-pace.C
				}
				i := n.Add(1)
				pattern := []string{chassis.Copies, chassis.Sync}[i%2]
				o := shop.NewOrder{ID: fmt.Sprintf("o-%d", i), UserID: users[i%50].ID, ProductID: products[i%5].ID, Quantity: 1}
				switch status := chassistest.Call(urls["orders"], http.MethodPost, "/"+pattern+"/orders", o, nil); {
				case status == http.StatusServiceUnavailable && pattern == chassis.Copies:
					unready.Add(1) // its copy of users is being rebuilt
				case status != http.StatusCreated && pattern == chassis.Copies:
					t.Errorf("order %d from copies: %d", i, status) // the other pattern may time out on a busy machine
				}
				if i%5 == 0 {
					chassistest.Call(urls["catalog"], http.MethodPut, "/sync/products/"+products[i%5].ID+"/price", map[string]int64{"price_cents": 1000 + i}, nil)
					chassistest.Call(urls["users"], http.MethodPost, "/sync/users", shop.User{ID: fmt.Sprintf("s-%d", i), Name: "Ada", Email: "ada@example.com"}, nil)
				}
			}
		})
	}
	defer func() { end(); traffic.Wait() }()
	awaitThat(t, "there is something to rebuild", func() bool { return n.Load() > 150 })

	for _, trimmed := range []bool{false, true} {
		if trimmed {
			for _, stream := range []string{shop.Users, shop.Catalog, shop.Orders} {
				if gone, err := bus.XTrimMaxLen(t.Context(), stream, 20).Result(); err != nil || gone == 0 {
					t.Fatal(gone, err)
				}
			}
		}
		for _, job := range []struct{ service, path string }{
			{"purchases", "/jobs/rebuild"}, {"trending", "/jobs/rebuild"}, {"orders", "/jobs/rebuild-users"},
		} {
			if status := chassistest.Call(urls[job.service], http.MethodPost, job.path, nil, nil); status != http.StatusAccepted {
				t.Fatalf("%s: %d", job.service, status)
			}
			var p chassis.Progress
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("%s: %+v", job.service, p)
				}
			})
			awaitWithin(t, time.Minute, job.service+" is done", func() bool {
				chassistest.Get(urls[job.service]+job.path, &p)
				return p.State == chassis.JobDone || p.State == chassis.JobFailed
			})
			if p.State != chassis.JobDone || p.Before == "" || p.Before != p.After || p.Done != p.Total || p.Total == 0 {
				t.Errorf("%s, trimmed %v: %+v", job.service, trimmed, p)
			}
			t.Logf("%s, trimmed %v: %s", job.service, trimmed, p.Said)
		}
	}
	end()
	traffic.Wait()
	t.Logf("%d of %d orders found their copy in the making", unready.Load(), n.Load())
	for _, get := range []struct{ service, path string }{{"purchases", "/purchases/" + users[0].ID}, {"purchases", "/purchases/" + users[49].ID}, {"trending", "/top"}} {
		var answers []string
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s: %q", get.path, answers)
			}
		})
		awaitWithin(t, time.Minute, "the patterns agree on "+get.path, func() bool {
			answers = nil
			for _, pattern := range []string{chassis.Shared, chassis.Sync, chassis.Copies} {
				var v any
				status := chassistest.Get(urls[get.service]+"/"+pattern+get.path, &v)
				b, _ := json.Marshal(v)
				answers = append(answers, fmt.Sprint(status, string(b)))
			}
			return answers[0] == answers[1] && answers[1] == answers[2] && strings.HasPrefix(answers[0], "200")
		})
	}
	found, err := streams.Inspect(t.Context(), bus, []string{shop.Orders + streams.DeadSuffix, shop.Users + streams.DeadSuffix})
	if err != nil || len(found) > 0 {
		t.Errorf("dead letters: %+v, %v", found, err)
	}
}
