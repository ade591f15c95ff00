package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores"
	"github.com/stillup/stillup/streams"
)

// TestNothingIsLostOrDoubled kills every node in turn under 20 orders a second, starts each again, and then compares
// the stores themselves: what the owner committed is applied exactly once in every copy.
func TestNothingIsLostOrDoubled(t *testing.T) {
	l := startLab(t)
	if _, err := l.call(http.MethodPost, "/api/v1/load", map[string]any{"per_second": 5}, nil); err != nil {
		t.Fatal(err)
	}
	stop := l.orderEvery(50*time.Millisecond, rand.New(rand.NewPCG(1, 2)))
	pause := time.NewTicker(700 * time.Millisecond)
	defer pause.Stop()
	for _, n := range atFirst(l.nodes) {
		l.do(n.ID, "kill")
		<-pause.C // so long is it dead, at least
		l.do(n.ID, "start")
		<-pause.C
	}
	accepted := stop()
	t.Logf("%d orders were accepted while %d nodes died", len(accepted), len(atFirst(l.nodes)))
	if len(accepted) < 100 {
		t.Fatalf("only %d orders were accepted; the test shows little", len(accepted))
	}
	if _, err := l.call(http.MethodPost, "/api/v1/load", map[string]any{"per_second": 0}, nil); err != nil {
		t.Fatal(err)
	}
	l.eventually(60*time.Second, "all stores agree", func() error { return l.agree(accepted) })
	l.settled()
}

// orderEvery sends an order over each pattern of the services in turn and returns a function that ends it and gives the ids that
// were accepted.
func (l *lab) orderEvery(every time.Duration, r *rand.Rand) (stop func() []string) {
	ctx, cancel := context.WithCancel(l.t.Context())
	var mu sync.Mutex
	var accepted []string
	var wg sync.WaitGroup
	products, users := shop.Products(), shop.SeedUsers()
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			pattern := chassis.ServicePatterns()[i%len(chassis.ServicePatterns())]
			o := shop.NewOrder{ID: fmt.Sprintf("chaos-%05d", i), UserID: users[r.IntN(len(users))].ID,
				ProductID: products[r.IntN(len(products))].ID, Quantity: int64(1 + r.IntN(3))}
			wg.Go(func() {
				if _, err := l.call(http.MethodPost, l.url("orders")+"/"+pattern+"/orders", o, nil); err == nil {
					mu.Lock()
					accepted = append(accepted, o.ID)
					mu.Unlock()
				}
			})
		}
	})
	return func() []string { cancel(); wg.Wait(); return accepted }
}

// agree compares orders, purchases, trending and stock as they stand in their stores.
func (l *lab) agree(accepted []string) error {
	ctx, cancel := context.WithTimeout(l.t.Context(), 10*time.Second)
	defer cancel()
	orders, err := l.ordersByID(ctx)
	if err != nil {
		return err
	}
	for _, id := range accepted {
		if _, ok := orders[id]; !ok {
			return fmt.Errorf("order %s was accepted and is not in orders", id)
		}
	}
	purchases, err := l.purchasesByID(ctx)
	if err != nil {
		return err
	}
	confirmed := map[string]int64{} // by product
	for id, o := range orders {
		if o.Status == shop.Placed {
			return fmt.Errorf("order %s is still only placed", id)
		}
		if p, ok := purchases[id]; !ok || p != o.Status {
			return fmt.Errorf("order %s is %s in orders and %q in purchases", id, o.Status, p)
		}
		if o.Status == shop.Confirmed {
			confirmed[o.ProductID]++
		}
	}
	if len(purchases) != len(orders) {
		return fmt.Errorf("%d orders and %d in purchases", len(orders), len(purchases))
	}
	return errors.Join(l.trendingAgrees(ctx, confirmed), l.stockAgrees(orders))
}

func (l *lab) ordersByID(ctx context.Context) (map[string]shop.Order, error) {
	conn, err := pgx.Connect(ctx, l.env("orders", "STILLUP_STORE"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "select id, product_id, quantity, status from orders")
	if err != nil {
		return nil, err
	}
	all := map[string]shop.Order{}
	var o shop.Order
	_, err = pgx.ForEachRow(rows, []any{&o.ID, &o.ProductID, &o.Quantity, &o.Status}, func() error { all[o.ID] = o; return nil })
	return all, err
}

// purchasesByID gives the status of each order in purchases; an order that is there twice is an error.
func (l *lab) purchasesByID(ctx context.Context) (map[string]string, error) {
	client, err := mongo.Connect(options.Client().ApplyURI(l.env("purchases", "STILLUP_STORE")))
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	cur, err := client.Database(stores.MongoDatabase).Collection("orders").Find(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	var docs []struct {
		ID       string `bson:"_id"`
		Versions map[string]struct {
			Status string `bson:"status"`
		} `bson:"versions"`
	}
	if err := cur.All(ctx, &docs); err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, d := range docs {
		if _, twice := all[d.ID]; twice {
			return nil, fmt.Errorf("order %s is twice in purchases", d.ID)
		}
		all[d.ID] = d.Versions[slices.Max(slices.Collect(maps.Keys(d.Versions)))].Status // of one digit each
	}
	return all, nil
}

func (l *lab) trendingAgrees(ctx context.Context, confirmed map[string]int64) error {
	rdb, err := streams.Open(l.env("trending", "STILLUP_STORE"))
	if err != nil {
		return err
	}
	defer rdb.Close()
	scores, err := rdb.ZRangeWithScores(ctx, "sellers", 0, -1).Result()
	if err != nil {
		return err
	}
	counted := map[string]int64{}
	for _, s := range scores {
		counted[s.Member.(string)] = int64(s.Score)
	}
	for id, n := range confirmed {
		if counted[id] != n {
			return fmt.Errorf("%s: %d orders confirmed, trending counted %d", id, n, counted[id])
		}
	}
	return nil
}

// stockAgrees: nothing was sold twice or went missing. An order over requests, the bus or stock's own store that failed
// after its reservation may have left the reservation behind, which is what these patterns cost; so units held are at least units sold, and the sum
// with what is left is exactly what was delivered.
func (l *lab) stockAgrees(orders map[string]shop.Order) error {
	sold := map[string]int64{}
	for _, o := range orders {
		if o.Status == shop.Confirmed {
			sold[o.ProductID] += o.Quantity
		}
	}
	for _, p := range shop.Products() {
		var v shop.Level
		if _, err := l.call(http.MethodGet, l.url("stock")+"/copies/stock/"+p.ID, nil, &v); err != nil {
			return err
		}
		if v.Level+v.Reserved != v.Delivered || v.Level < 0 {
			return fmt.Errorf("%s: %d on the shelf + %d reserved is not the %d delivered", v.ProductID, v.Level, v.Reserved, v.Delivered)
		}
		if v.Reserved < sold[v.ProductID] {
			return fmt.Errorf("%s: %d sold and only %d reserved", v.ProductID, sold[v.ProductID], v.Reserved)
		}
	}
	return nil
}
