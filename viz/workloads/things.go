package workloads

import (
	"errors"
	"fmt"
	"strings"
)

// product is the nested document: about 2 kB as JSON.
type product struct {
	Name     string    `json:"name" bson:"name"`
	Text     string    `json:"text" bson:"text"`
	Tags     []string  `json:"tags" bson:"tags"`
	Variants []variant `json:"variants" bson:"variants"`
	Reviews  []review  `json:"reviews" bson:"reviews"`
}

type variant struct {
	Colour string `json:"colour" bson:"colour"`
	Size   string `json:"size" bson:"size"`
	Units  int    `json:"units" bson:"units"`
}

type review struct {
	By    string `json:"by" bson:"by"`
	Stars int    `json:"stars" bson:"stars"`
	Text  string `json:"text" bson:"text"`
}

// variantsOf is how many variants a product has, reviewsOf how many reviews.
const variantsOf, reviewsOf = 6, 8

// productOf is document i.
func productOf(i int) product {
	p := product{Name: productName(i), Text: strings.Repeat("Made to be used every day. ", 10), Tags: []string{"kitchen", "steel", "gift"}}
	for v := range variantsOf {
		p.Variants = append(p.Variants, variant{Colour: fmt.Sprintf("colour %d", v), Size: "M", Units: 10})
	}
	for r := range reviewsOf {
		p.Reviews = append(p.Reviews, review{By: fmt.Sprintf("user %d", r), Stars: 1 + r%5, Text: strings.Repeat("Does what it should. ", 5)})
	}
	return p
}

// whole is an error where a part of the document is missing: what was read is not what was stored.
func (p *product) whole() error {
	if p.Name == "" || len(p.Variants) != variantsOf || len(p.Reviews) != reviewsOf {
		return errors.New("the document came back with a part missing")
	}
	return nil
}

func userName(i int) string    { return fmt.Sprintf("user %d", i) }
func productName(i int) string { return fmt.Sprintf("product %d", i) }

// rightNames is an error where an order came back with other names than those of its user and product.
func rightNames(user, product int, gotUser, gotProduct string) error {
	if gotUser != userName(user) || gotProduct != productName(product) {
		return fmt.Errorf("the order of user %d and product %d came back with %q and %q", user, product, gotUser, gotProduct)
	}
	return nil
}
