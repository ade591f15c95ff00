package shop

import "strings"

// Event types of schema version 2, which an owner whose store has schema 2 publishes beside those of version 1: same
// subject, same version, in the same write. Who knows both takes whichever comes first; who knows one goes on with that.
const (
	UserRegisteredV2 = "user.registered.v2" // UserV2
	ProductListedV2  = "product.listed.v2"  // ProductV2
	ProductChangedV2 = "product.changed.v2" // ProductV2
)

// UserV2 is a [User] of schema 2: the name is split in two, and email has another name.
type UserV2 struct {
	ID           string `json:"id"`
	GivenName    string `json:"given_name"`
	FamilyName   string `json:"family_name"` // empty for a name of one word
	EmailAddress string `json:"email_address"`
	Version      int64  `json:"version"`
}

// ProductV2 is a [Product] of schema 2: name has another name, and the price is split in two.
type ProductV2 struct {
	ID          string `json:"id" bson:"_id"`
	Title       string `json:"title" bson:"title"`
	Category    string `json:"category" bson:"category"`
	Description string `json:"description" bson:"description"`
	NetCents    int64  `json:"net_cents" bson:"net_cents"` // euro cents
	VATCents    int64  `json:"vat_cents" bson:"vat_cents"` // with NetCents: the price
	Version     int64  `json:"version" bson:"version"`
}

// V2 is the user in schema 2. V1 of it is the same user again, whatever the name.
func (u User) V2() UserV2 {
	given, family := SplitName(u.Name)
	return UserV2{ID: u.ID, GivenName: given, FamilyName: family, EmailAddress: u.Email, Version: u.Version}
}

// V1 is the user in schema 1.
func (u UserV2) V1() User {
	name := u.GivenName
	if u.FamilyName != "" {
		name += " " + u.FamilyName
	}
	return User{ID: u.ID, Name: name, Email: u.EmailAddress, Version: u.Version}
}

// SplitName splits a name at its first space. One without a space, or with nothing after it, is all given name.
func SplitName(name string) (given, family string) {
	given, family, _ = strings.Cut(name, " ")
	if family == "" {
		return name, ""
	}
	return given, family
}

// V2 is the product in schema 2, its price split at the VAT of 20 %, net rounded to the cent. V1 of it is the same product
// again, for the two parts make the price.
func (p Product) V2() ProductV2 {
	net := (5*p.PriceCents + 3) / 6 // price / 1.2, rounded half up
	return ProductV2{ID: p.ID, Title: p.Name, Category: p.Category, Description: p.Description, NetCents: net,
		VATCents: p.PriceCents - net, Version: p.Version}
}

// V1 is the product in schema 1.
func (p ProductV2) V1() Product {
	return Product{ID: p.ID, Name: p.Title, Category: p.Category, Description: p.Description, PriceCents: p.PriceCents(),
		Version: p.Version}
}

// PriceCents is what one unit costs, in euro cents, VAT included.
func (p ProductV2) PriceCents() int64 { return p.NetCents + p.VATCents }
