package services

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestBusOnly runs the six services with no address of each other: what crosses services works over the bus alone, in a
// chain too.
func TestBusOnly(t *testing.T) {
	server := streamstest.Start(t)
	urls := map[string]string{}
	for _, s := range all {
		if s.offBus {
			continue
		}
		storeURL := map[string]func(testing.TB) string{
			stores.Postgres: storestest.Postgres, stores.MongoDB: storestest.Mongo, stores.Redis: storestest.Redis,
		}[s.engine](t)
		cfg := chassis.Config{Name: s.name, Addr: freeAddr(t), StoreURL: storeURL, BusURL: server.URL(), Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- Run(ctx, cfg) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		urls[s.name] = "http://" + cfg.Addr
	}
	for name, url := range urls {
		awaitThat(t, name+" is ready", func() bool { return send(http.MethodGet, url+"/readyz", nil, nil) == http.StatusOK })
	}
	bus := server.Client()
	awaitThat(t, "the four that answer are on the bus", func() bool {
		groups, err := bus.XInfoGroups(t.Context(), shop.Requests).Result()
		return err == nil && len(groups) == 4
	})

	product := shop.Products()[0]
	var o shop.Order
	status := send(http.MethodPost, urls["orders"]+"/bus/orders", shop.NewOrder{ID: "o-1", UserID: "u-001", ProductID: product.ID, Quantity: 2}, &o)
	if status != http.StatusCreated || o.Status != shop.Confirmed || o.ProductName != product.Name {
		t.Errorf("buy: %d %+v", status, o)
	}
	var level shop.Level
	if send(http.MethodGet, urls["stock"]+"/bus/stock/"+product.ID, nil, &level); level.Reserved != 2 {
		t.Errorf("stock: %+v", level)
	}
	var mine shop.Purchases
	status = send(http.MethodGet, urls["purchases"]+"/bus/purchases/u-001", nil, &mine)
	if status != http.StatusOK || mine.UserName == "" || len(mine.Purchases) != 1 || mine.Purchases[0] != o {
		t.Errorf("my purchases: %d %+v", status, mine)
	}
	var top shop.TopSellers
	status = send(http.MethodGet, urls["trending"]+"/bus/top", nil, &top)
	if want := (shop.Seller{ProductID: product.ID, ProductName: product.Name, Orders: 1}); status != http.StatusOK || len(top.Sellers) != 1 || top.Sellers[0] != want {
		t.Errorf("top sellers: %d %+v", status, top)
	}
	// 3 to buy, 3 for my purchases, 2 for the top sellers.
	if asked, replied := bus.XLen(t.Context(), shop.Requests).Val(), bus.XLen(t.Context(), shop.Replies).Val(); asked != 8 || replied != 8 {
		t.Errorf("%d requests and %d replies, want 8 of each", asked, replied)
	}
	awaitThat(t, "nobody is behind on requests and replies", func() bool {
		list, err := streams.Inspect(t.Context(), bus, []string{shop.Requests, shop.Replies})
		if err != nil || len(list) != 2 || len(list[0].Groups) != 4 || len(list[1].Groups) != 3 {
			return false
		}
		for _, s := range list {
			for _, g := range s.Groups {
				if g.Lag != 0 || g.Pending != 0 {
					return false
				}
			}
		}
		return true
	})
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// send asks and decodes the answer; its status, 0 for none.
func send(method, url string, in, out any) int {
	var body bytes.Buffer
	if in != nil {
		_ = json.NewEncoder(&body).Encode(in)
	}
	req, err := http.NewRequest(method, url, &body)
	if err != nil {
		return 0
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if out != nil && json.NewDecoder(resp.Body).Decode(out) != nil {
		return 0
	}
	return resp.StatusCode
}

func awaitThat(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); !cond(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
