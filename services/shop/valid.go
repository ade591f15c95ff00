package shop

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths that are accepted: of a name in characters, of an address in bytes.
const maxName, maxEmail = 100, 254

const idWords = "1 to 64 letters, digits, dots, dashes and underscores"

var validID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ValidID says whether a user, product or order can have that id: 1 to 64 letters, digits, dots, dashes and underscores.
func ValidID(id string) bool { return validID.MatchString(id) }

// Validate says in words what keeps the user from being signed up; nil for nothing.
func (u User) Validate() error {
	address, err := mail.ParseAddress(u.Email)
	switch {
	case !ValidID(u.ID):
		return errors.New("id: " + idWords)
	case ValidateName(u.Name) != nil:
		return ValidateName(u.Name)
	case err != nil || address.Address != u.Email || len(u.Email) > maxEmail:
		return fmt.Errorf("email: an address such as ada@example.com, at most %d bytes", maxEmail)
	case strings.ContainsFunc(u.Email, unicode.IsControl):
		return errors.New("email: no control characters")
	}
	return nil
}

// ValidateName says in words what keeps a user or a product from having that name; nil for nothing.
func ValidateName(name string) error {
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("name: 1 to %d characters", maxName)
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("name: no control characters")
	}
	return nil
}

// Validate says in words what keeps the order, which has its id, from being taken; nil for nothing.
func (o NewOrder) Validate() error {
	for _, id := range []struct{ field, value string }{{"id", o.ID}, {"user_id", o.UserID}, {"product_id", o.ProductID}} {
		if !ValidID(id.value) {
			return errors.New(id.field + ": " + idWords)
		}
	}
	if o.Quantity < 1 || o.Quantity > MaxQuantity {
		return fmt.Errorf("quantity: a number from 1 to %d", MaxQuantity)
	}
	return nil
}

// Validate says in words what keeps the units from being held; nil for nothing.
func (r Reservation) Validate() error {
	switch {
	case !ValidID(r.OrderID):
		return errors.New("order_id: " + idWords)
	case !ValidID(r.ProductID):
		return errors.New("product_id: " + idWords)
	case r.Quantity < 1 || r.Quantity > MaxQuantity:
		return fmt.Errorf("quantity: 1 to %d", MaxQuantity)
	}
	return nil
}
