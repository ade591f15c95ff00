package purchases

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// fromPeers asks users and orders at once, then catalog for the products' present names.
func (p *purchases) fromPeers(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("user")
	if !validID.MatchString(id) {
		return unknownUser(id)
	}
	var (
		user               shop.User
		list               struct{ Orders []shop.Order }
		userErr, ordersErr error
		calls              sync.WaitGroup // without a common context: the end of one call is no failure of the other
	)
	calls.Go(func() {
		userErr = p.peers.Call(r.Context(), shop.Users, http.MethodGet, "/sync/users/"+url.PathEscape(id), nil, &user)
	})
	calls.Go(func() {
		path := fmt.Sprintf("/sync/orders?user=%s&limit=%d", url.QueryEscape(id), shop.PurchasesShown)
		ordersErr = p.peers.Call(r.Context(), shop.Orders, http.MethodGet, path, nil, &list)
	})
	calls.Wait()
	var call *chassis.CallError
	if errors.As(userErr, &call) && call.Status == http.StatusNotFound {
		return unknownUser(id)
	}
	if userErr != nil {
		return userErr // of two failures the user's is told, so that the answer does not depend on which came first
	}
	if ordersErr != nil {
		return ordersErr
	}
	orders := slices.DeleteFunc(list.Orders, func(o shop.Order) bool { return o.Status == shop.Refused })
	orders = append([]shop.Order{}, orders[:min(len(orders), shop.PurchasesShown)]...) // never null in JSON
	if ids := productsOf(orders); len(ids) > 0 {
		var known struct{ Products []shop.Product }
		path := "/sync/products?ids=" + url.QueryEscape(strings.Join(ids, ","))
		if err := p.peers.Call(r.Context(), shop.Catalog, http.MethodGet, path, nil, &known); err != nil {
			return err
		}
		names := map[string]string{}
		for _, product := range known.Products {
			names[product.ID] = product.Name
		}
		rename(orders, names)
	}
	return chassis.WriteJSON(w, http.StatusOK, shop.Purchases{UserID: id, UserName: user.Name, Purchases: orders})
}

// productsOf are the orders' products, each once, sorted.
func productsOf(orders []shop.Order) []string {
	ids := make([]string, 0, len(orders))
	for _, o := range orders {
		ids = append(ids, o.ProductID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
