package orders

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/shop"
)

// shownSellers is how many sellers an answer holds at most.
const shownSellers = shop.SellersShown

// sales answers which products have the most confirmed orders; their names it asks of catalog.
func (s asking) sales(w http.ResponseWriter, r *http.Request) error {
	sellers, err := s.store.sales(r.Context(), shownSellers)
	if err != nil {
		return err
	}
	if err := s.names(r.Context(), sellers); err != nil {
		return err
	}
	return chassis.WriteJSON(w, http.StatusOK, shop.TopSellers{Sellers: sellers})
}

// names sets the sellers' names; a product that catalog does not know has none.
func (s asking) names(ctx context.Context, sellers []shop.Seller) error {
	if len(sellers) == 0 {
		return nil
	}
	ids := make([]string, len(sellers))
	for i, seller := range sellers {
		ids[i] = seller.ProductID
	}
	var known struct{ Products []shop.Product }
	path := "/products?ids=" + url.QueryEscape(strings.Join(ids, ","))
	if err := s.peers.Call(ctx, "catalog", http.MethodGet, path, nil, &known); err != nil {
		return err
	}
	for i := range sellers {
		for _, p := range known.Products {
			if p.ID == sellers[i].ProductID {
				sellers[i].ProductName = p.Name
			}
		}
	}
	return nil
}
