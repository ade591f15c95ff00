package monolith

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// TestDrop: the oldest orders go, and of those who signed up the oldest who have none; those whom the shop begins with stay.
func TestDrop(t *testing.T) {
	var s *store
	url := startWith(t, storestest.Postgres(t), func(made *store) { s = made; s.orders, s.users = 3, 2 })
	chassistest.Ready(t, url)
	for i := range 6 {
		u := shop.User{ID: fmt.Sprintf("s-%d", 9-i), Name: "Ada", Email: "ada@example.com"}
		if status := chassistest.Call(url, http.MethodPost, "/monolith/users", u, nil); status != http.StatusCreated {
			t.Fatal(status)
		}
	}
	for i := range 5 { // by the first who signed up
		o := shop.NewOrder{ID: fmt.Sprintf("o-%d", i), UserID: "s-9", ProductID: "p-01", Quantity: 1}
		if status := chassistest.Call(url, http.MethodPost, "/monolith/orders", o, nil); status != http.StatusCreated {
			t.Fatal(status)
		}
	}
	// In the background it is done too; here it is done again.
	for n := int64(1); n > 0; {
		var err error
		if n, err = s.drop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := get[orderList](t, url, "/orders?user=s-9"); len(got.Orders) != 3 || got.Orders[2].ID != "o-2" {
		t.Errorf("orders left: %+v", got.Orders)
	}
	var users []string
	rows, err := s.pool.Query(t.Context(), "select id from users where id like 's-%' order by id")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		users = append(users, id)
	}
	if fmt.Sprint(users) != "[s-4 s-9]" { // s-9 has orders, so s-5 went for it
		t.Errorf("users left: %v", users)
	}
}
