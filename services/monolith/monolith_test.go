package monolith

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// start runs the service until the test ends and returns its address.
func start(t *testing.T, storeURL string) string {
	t.Helper()
	return startWith(t, storeURL, func(*store) {})
}

// startWith does so after change.
func startWith(t *testing.T, storeURL string, change func(*store)) string {
	t.Helper()
	cfg := chassis.Config{Name: "monolith", StoreURL: storeURL}
	s, err := open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.pool.Close)
	change(s)
	return chassistest.Start(t, cfg, func(ctx context.Context, cfg chassis.Config) error {
		svc, err := chassis.New(cfg)
		if err != nil {
			return err
		}
		return serve(ctx, svc, s)
	})
}

// get asks for what has to be there.
func get[T any](t *testing.T, url, path string) (v T) {
	t.Helper()
	if status := chassistest.Get(url+"/monolith"+path, &v); status != http.StatusOK {
		t.Fatalf("GET %s: %d", path, status)
	}
	return v
}

type (
	productList struct{ Products []shop.Product }
	orderList   struct{ Orders []shop.Order }
)

// TestSeed: it begins with the shop's users, products and stock, once, and leaves as it is what stands.
func TestSeed(t *testing.T) {
	db := storestest.Postgres(t)
	url := start(t, db)
	chassistest.Ready(t, url)
	if got := get[productList](t, url, "/products").Products; !slices.Equal(got, shop.Products()) {
		t.Errorf("products: %+v", got)
	}
	for _, u := range shop.SeedUsers() {
		if got := get[shop.User](t, url, "/users/"+u.ID); got != u {
			t.Errorf("user %+v, want %+v", got, u)
		}
	}
	for _, p := range shop.Products() {
		want := shop.Level{ProductID: p.ID, ProductName: p.Name, Level: shop.UnitsDelivered, Delivered: shop.UnitsDelivered}
		if got := get[shop.Level](t, url, "/stock/"+p.ID); got != want {
			t.Errorf("stock %+v, want %+v", got, want)
		}
	}
	chassistest.Call(url, http.MethodPut, "/monolith/products/p-01/price", `{"price_cents": 7}`, nil)
	chassistest.Call(url, http.MethodPost, "/monolith/orders", shop.NewOrder{UserID: "u-001", ProductID: "p-01", Quantity: 3}, nil)
	other := start(t, db)
	chassistest.Ready(t, other)
	if p := get[shop.Product](t, other, "/products/p-01"); p.PriceCents != 7 || p.Version != 2 {
		t.Errorf("after another start: %+v", p)
	}
	if l := get[shop.Level](t, other, "/stock/p-01"); l.Reserved != 3 {
		t.Errorf("after another start: %+v", l)
	}
}

// TestRefusals: what cannot be right is refused as the services refuse it.
func TestRefusals(t *testing.T) {
	url := start(t, storestest.Postgres(t))
	chassistest.Ready(t, url)
	const id = ": 1 to 64 letters, digits, dots, dashes and underscores"
	order := func(change func(*shop.NewOrder)) shop.NewOrder {
		in := shop.NewOrder{ID: "o", UserID: "u-001", ProductID: "p-01", Quantity: 1}
		change(&in)
		return in
	}
	user := func(change func(*shop.User)) shop.User {
		u := shop.User{ID: "u", Name: "Ada", Email: "ada@example.com"}
		change(&u)
		return u
	}
	for _, c := range []struct {
		method, path string
		in           any
		want         int
		detail       string
	}{
		{"POST", "/users", "{", 400, "the body cannot be read: unexpected EOF"},
		{"POST", "/users", user(func(u *shop.User) { u.ID = "a b" }), 400, "id" + id},
		{"POST", "/users", user(func(u *shop.User) { u.Name = " " }), 400, "name: 1 to 100 characters"},
		{"POST", "/users", user(func(u *shop.User) { u.Name = strings.Repeat("é", 101) }), 400, "name: 1 to 100 characters"},
		{"POST", "/users", user(func(u *shop.User) { u.Name = "A\x00a" }), 400, "name: no control characters"},
		{"POST", "/users", user(func(u *shop.User) { u.Email = "Ada <ada@example.com>" }), 400,
			"email: an address such as ada@example.com, at most 254 bytes"},
		{"GET", "/users/nobody", nil, 404, `unknown user "nobody"`},
		{"GET", "/users/%00", nil, 404, `unknown user "\x00"`},
		{"GET", "/products/p-99", nil, 404, `unknown product "p-99"`},
		{"GET", "/products/%00", nil, 404, `unknown product "\x00"`},
		{"GET", "/products?ids=" + strings.Repeat("p-01,", maxList), nil, 400, "ids: at most 500"},
		{"PUT", "/products/p-99/price", `{"price_cents": 5}`, 404, `unknown product "p-99"`},
		{"PUT", "/products/p-01/price", `{"price_cents": 0}`, 400, "price_cents: 1 to 10000000"},
		{"PUT", "/products/p-01/price", `{"price_cents": 10000001}`, 400, "price_cents: 1 to 10000000"},
		{"GET", "/stock/p-99", nil, 404, `unknown product "p-99"`},
		{"GET", "/stock/%00", nil, 404, `unknown product "\x00"`},
		{"POST", "/orders", `{"quantity": 1, "colour": "red"}`, 400, `the body cannot be read: json: unknown field "colour"`},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.ID = "../o" }), 400, "id" + id},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.UserID = "" }), 400, "user_id" + id},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.ProductID = "p\x00" }), 400, "product_id" + id},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.Quantity = 0 }), 400, "quantity: a number from 1 to 100"},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.Quantity = 101 }), 400, "quantity: a number from 1 to 100"},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.UserID = "nobody" }), 404, `unknown user "nobody"`},
		{"POST", "/orders", order(func(o *shop.NewOrder) { o.ProductID = "p-99" }), 404, `unknown product "p-99"`},
		{"GET", "/orders", nil, 400, "user: the id of a user, as in ?user=u-001"},
		{"GET", "/orders?user=u-001&limit=0", nil, 400, "limit: a number from 1 to 100"},
		{"GET", "/orders?user=u-001&limit=101", nil, 400, "limit: a number from 1 to 100"},
		{"GET", "/orders?user=u-001&limit=many", nil, 400, "limit: a number from 1 to 100"},
		{"GET", "/orders/o", nil, 404, `unknown order "o"`}, // none of the above is kept
		{"GET", "/orders/%00", nil, 404, `unknown order "\x00"`},
		{"GET", "/purchases/nobody", nil, 404, `unknown user "nobody"`},
		{"GET", "/purchases/%00", nil, 404, `unknown user "\x00"`},
	} {
		var p chassis.Problem
		if status := chassistest.Call(url, c.method, "/monolith"+c.path, c.in, &p); status != c.want || p.Detail != c.detail {
			t.Errorf("%s %s %v: %d %q, want %d %q", c.method, c.path, c.in, status, p.Detail, c.want, c.detail)
		}
	}
	if l := get[shop.Level](t, url, "/stock/p-01"); l.Reserved != 0 {
		t.Errorf("units are held for nothing: %+v", l)
	}
}

func TestUsersAndProducts(t *testing.T) {
	url := start(t, storestest.Postgres(t))
	chassistest.Ready(t, url)
	var u, again shop.User
	ada := shop.User{ID: "ada", Name: " Ada Ito ", Email: "ada@example.com", Version: 7}
	if status := chassistest.Call(url, http.MethodPost, "/monolith/users", ada, &u); status != http.StatusCreated {
		t.Errorf("sign-up: %d", status)
	}
	if want := (shop.User{ID: "ada", Name: "Ada Ito", Email: "ada@example.com", Version: 1}); u != want {
		t.Errorf("signed up %+v, want %+v", u, want)
	}
	ada.Name = "Another"
	if status := chassistest.Call(url, http.MethodPost, "/monolith/users", ada, &again); status != http.StatusOK || again != u {
		t.Errorf("same id again: %d %+v", status, again)
	}
	bo := shop.User{Name: "Bo", Email: "bo@example.com"}
	if status := chassistest.Call(url, http.MethodPost, "/monolith/users", bo, &again); status != http.StatusCreated || again.ID == "" {
		t.Errorf("without an id: %d %+v", status, again)
	}

	seed := shop.Products()
	if got := get[productList](t, url, "/products?ids=p-09,p-02,nothing,p-02,a%20b").Products; !slices.Equal(got, []shop.Product{seed[1], seed[8]}) {
		t.Errorf("by ids: %+v", got)
	}
	if got := get[productList](t, url, "/products?ids=").Products; got == nil || len(got) != 0 {
		t.Errorf("of no ids: %#v, want an empty list", got)
	}
	for i, cents := range []int64{1, maxPrice, maxPrice, 700} { // the second time, a price is no change
		var p shop.Product
		status := chassistest.Call(url, http.MethodPut, "/monolith/products/p-01/price", fmt.Sprintf(`{"price_cents": %d}`, cents), &p)
		want := seed[0]
		want.PriceCents, want.Version = cents, []int64{2, 3, 3, 4}[i]
		if status != http.StatusOK || p != want {
			t.Errorf("price %d: %d %+v", cents, status, p)
		}
	}
}

// TestPurchases: a user's orders come newest first with the products' present names, the refused ones left out.
func TestPurchases(t *testing.T) {
	var s *store
	url := startWith(t, storestest.Postgres(t), func(made *store) { s = made })
	chassistest.Ready(t, url)
	none := get[shop.Purchases](t, url, "/purchases/u-001")
	if want := (shop.Purchases{UserID: "u-001", UserName: shop.SeedUsers()[0].Name, Purchases: []shop.Order{}}); !reflect.DeepEqual(none, want) {
		t.Errorf("of nothing: %+v, want %+v", none, want)
	}
	if got := get[shop.TopSellers](t, url, "/top"); got.Sellers == nil || len(got.Sellers) != 0 {
		t.Errorf("top of nothing: %+v, want an empty list", got)
	}
	if got := get[orderList](t, url, "/orders?user=u-001").Orders; got == nil || len(got) != 0 {
		t.Errorf("orders of nothing: %+v, want an empty list", got)
	}
	const bought = shop.PurchasesShown + 3
	var orders []shop.Order // newest first
	for i := range bought {
		var o shop.Order
		in := shop.NewOrder{ID: fmt.Sprintf("o-%02d", i), UserID: "u-001", ProductID: fmt.Sprintf("p-%02d", 1+i%4), Quantity: 1}
		if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", in, &o); status != http.StatusCreated {
			t.Fatalf("buy: %d", status)
		}
		orders = slices.Insert(orders, 0, o)
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("update orders set placed_at = now() - make_interval(secs => 100 - substr(id, 3)::int)") // in the order of their ids
	exec("update orders set status = 'refused', reason = 'sold out' where id = $1", orders[1].ID)
	exec("update products set name = 'Present name' where id = 'p-01'")
	chassistest.Call(url, http.MethodPost, "/monolith/orders", shop.NewOrder{ID: "other", UserID: "u-002", ProductID: "p-01", Quantity: 1}, nil)

	got := get[shop.Purchases](t, url, "/purchases/u-001")
	want := slices.Delete(slices.Clone(orders), 1, 2)[:shop.PurchasesShown]
	if got.UserName != none.UserName || len(got.Purchases) != len(want) {
		t.Fatalf("%d purchases of %s", len(got.Purchases), got.UserName)
	}
	for i, o := range got.Purchases {
		w := want[i]
		if w.PlacedAt = o.PlacedAt; w.ProductID == "p-01" {
			w.ProductName = "Present name"
		}
		if o != w {
			t.Errorf("purchase %d: %+v, want %+v", i, o, w)
		}
	}
	list := get[orderList](t, url, "/orders?user=u-001&limit=3").Orders
	if len(list) != 3 || list[0].ID != orders[0].ID || list[1].ID != orders[1].ID || list[1].Status != shop.Refused {
		t.Errorf("orders: %+v", list)
	}
	if n := len(get[orderList](t, url, "/orders?user=u-001").Orders); n != shownOrders {
		t.Errorf("%d orders are listed, want %d", n, shownOrders)
	}
}

// TestTop: confirmed orders count, refused ones do not; ties go by product, and the least are not shown.
func TestTop(t *testing.T) {
	var s *store
	url := startWith(t, storestest.Postgres(t), func(made *store) { s = made })
	chassistest.Ready(t, url)
	for i, n := range []int{1, 2, 3, 2, 1, 1} {
		for range n {
			in := shop.NewOrder{UserID: "u-001", ProductID: fmt.Sprintf("p-%02d", i+1), Quantity: 9}
			if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", in, nil); status != http.StatusCreated {
				t.Fatalf("buy: %d", status)
			}
		}
	}
	for range 9 {
		chassistest.Call(url, http.MethodPost, "/monolith/orders", shop.NewOrder{UserID: "u-001", ProductID: "p-06", Quantity: 1}, nil)
	}
	if _, err := s.pool.Exec(t.Context(), "update orders set status = 'refused' where product_id = 'p-06'"); err != nil {
		t.Fatal(err)
	}
	names := shop.Products()
	want := shop.TopSellers{Sellers: []shop.Seller{{ProductID: "p-03", ProductName: names[2].Name, Orders: 3},
		{ProductID: "p-02", ProductName: names[1].Name, Orders: 2}, {ProductID: "p-04", ProductName: names[3].Name, Orders: 2},
		{ProductID: "p-01", ProductName: names[0].Name, Orders: 1}, {ProductID: "p-05", ProductName: names[4].Name, Orders: 1}}}
	if got := get[shop.TopSellers](t, url, "/top"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
