package purchases

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// asking is the service as it asks its peers in one pattern. It needs no store.
type asking struct{ peers chassis.Caller }

// fromPeers asks users, orders and, for the products' present names, catalog, all at once.
func (p asking) fromPeers(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("user")
	if !shop.ValidID(id) {
		return unknownUser(id)
	}
	var (
		user  shop.User
		list  struct{ Orders []shop.Order }
		known struct{ Products []shop.Product }
		// Of several failures the first of these is told, so that the answer does not depend on which came first.
		userErr, ordersErr, productsErr error
		calls                           sync.WaitGroup // without a common context: the end of one call is no failure of the other
	)
	calls.Go(func() {
		userErr = p.peers.Call(r.Context(), shop.Users, http.MethodGet, "/users/"+url.PathEscape(id), nil, &user)
	})
	calls.Go(func() {
		path := fmt.Sprintf("/orders?user=%s&limit=%d", url.QueryEscape(id), keepListed) // refused ones are among them
		ordersErr = p.peers.Call(r.Context(), shop.Orders, http.MethodGet, path, nil, &list)
	})
	calls.Go(func() {
		// All products, of which a shop has few: which are needed is known only when orders has answered, and to ask
		// at once saves a round.
		productsErr = p.peers.Call(r.Context(), shop.Catalog, http.MethodGet, "/products", nil, &known)
	})
	calls.Wait()
	var call *chassis.CallError
	if errors.As(userErr, &call) && call.Status == http.StatusNotFound {
		return unknownUser(id)
	}
	if err := cmp.Or(userErr, ordersErr, productsErr); err != nil {
		return err
	}
	orders := slices.DeleteFunc(list.Orders, func(o shop.Order) bool { return o.Status == shop.Refused })
	orders = append([]shop.Order{}, orders[:min(len(orders), shop.PurchasesShown)]...) // never null in JSON
	names := map[string]string{}
	for _, product := range known.Products {
		names[product.ID] = product.Name
	}
	rename(orders, names)
	return chassis.WriteJSON(w, http.StatusOK, shop.Purchases{UserID: id, UserName: user.Name, Purchases: orders})
}
