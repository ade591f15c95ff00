package shop

import (
	"fmt"
	"strings"
)

// seedUsers is how many users the shop begins with.
const seedUsers = 200

// products are what the shop sells, in the order of their ids.
var products = []Product{
	{Category: "kitchen", Name: "Moka pot, 6 cups", PriceCents: 3490, Description: "Aluminium, for gas and electric hobs, with a spare seal."},
	{Category: "kitchen", Name: "Cast-iron skillet, 26 cm", PriceCents: 4290, Description: "Seasoned with linseed oil, good on every hob and in the oven."},
	{Category: "kitchen", Name: "Paring knife, 9 cm", PriceCents: 1890, Description: "Carbon steel, handle of pear wood, sharpened by hand."},
	{Category: "kitchen", Name: "Bread tin with lid", PriceCents: 2690, Description: "For a loaf of 750 g with a thin, even crust."},
	{Category: "kitchen", Name: "Linen tea towels, set of 3", PriceCents: 2200, Description: "Half-bleached linen, 50 by 70 cm, with a loop to hang them."},
	{Category: "kitchen", Name: "Hand coffee grinder", PriceCents: 7900, Description: "Conical steel burrs in 36 steps, holds 30 g of beans."},
	{Category: "desk", Name: "Fountain pen, medium nib", PriceCents: 2950, Description: "Piston filler with an ink window, weighs 18 g."},
	{Category: "desk", Name: "Dotted notebook, A5", PriceCents: 1450, Description: "192 numbered pages of 100 g paper, lies flat when open."},
	{Category: "desk", Name: "Desk lamp with clamp", PriceCents: 8900, Description: "Warm white, dimmable in ten steps, arm of 80 cm."},
	{Category: "desk", Name: "Brass ruler, 20 cm", PriceCents: 1290, Description: "Engraved in millimetres, finds its own patina."},
	{Category: "desk", Name: "Felt desk pad", PriceCents: 3900, Description: "Wool felt, 65 by 40 cm, quiet under a keyboard."},
	{Category: "desk", Name: "Letter tray, ash", PriceCents: 4600, Description: "For A4, stacks without tools, oiled wood."},
	{Category: "garden", Name: "Secateurs", PriceCents: 3790, Description: "Bypass blades for twigs up to 20 mm, all parts can be replaced."},
	{Category: "garden", Name: "Watering can, 9 l", PriceCents: 4490, Description: "Galvanised steel with a brass rose."},
	{Category: "garden", Name: "Hand trowel", PriceCents: 1690, Description: "Forged in one piece, marked every two centimetres."},
	{Category: "garden", Name: "Wildflower seeds, 50 g", PriceCents: 890, Description: "Thirty native annuals and perennials, enough for 10 square metres."},
	{Category: "garden", Name: "Bird feeder, larch", PriceCents: 3290, Description: "Holds 2 kg of seed, opens for cleaning without tools."},
	{Category: "garden", Name: "Jute twine, 200 m", PriceCents: 590, Description: "Three-ply, for beans, tomatoes and parcels."},
	{Category: "outdoors", Name: "Vacuum flask, 0.75 l", PriceCents: 3190, Description: "Keeps tea hot for twelve hours, lid doubles as a cup."},
	{Category: "outdoors", Name: "Merino socks", PriceCents: 1990, Description: "Padded at heel and toe, sizes 36 to 47."},
	{Category: "outdoors", Name: "Head torch, 400 lm", PriceCents: 4990, Description: "Charges over USB-C, red light for reading maps."},
	{Category: "outdoors", Name: "Picnic blanket", PriceCents: 5490, Description: "Wool above, waterproof below, 140 by 200 cm."},
	{Category: "outdoors", Name: "Day pack, 18 l", PriceCents: 7490, Description: "Waxed cotton, a sleeve for a laptop, two outer pockets."},
	{Category: "outdoors", Name: "Pocket compass", PriceCents: 2790, Description: "Liquid-filled, with a mirror and a scale of 1:25,000."},
}

var givenNames = strings.Fields(`Ada Amara Anouk Arjun Aylin Bao Björn Carmen Chidi Clara Daniel Dilnoza Eero Elif Emeka
	Farah Fatima Finn Giulia Hana Hugo Imani Ines Ivan Jamal Jonas Kaito Kateryna Kofi Lars Leila Lin Lucía Malik Mateo Mei
	Milan Nadia Noah Olena Omar Priya Rafael Rosa Samira Sofia Tomasz Wanjiru Yusuf Zoë`)

var familyNames = strings.Fields(`Abebe Adeyemi Bakker Bauer Chen Cohen Costa Delgado Diallo Dubois Eriksen Ferrari García
	Haddad Horvat Ibrahim Ito Jansen Kaya Kim Kowalski Kumar Lindqvist Mbeki Meyer Moreau Nakamura Nguyen Novak Okafor
	O'Brien Petrov Rahman Rossi Santos Schmidt Silva Tanaka Virtanen Yilmaz`)

// plain writes the names' letters as an address has them.
var plain = strings.NewReplacer("ö", "o", "ë", "e", "í", "i", "'", "", " ", ".")

// Products are the products that the catalogue begins with, p-01 to p-24 in order, of Version 1. The caller owns them.
func Products() []Product {
	list := make([]Product, len(products))
	for i, p := range products {
		p.ID, p.Version = fmt.Sprintf("p-%02d", i+1), 1
		list[i] = p
	}
	return list
}

// SeedUsers are the users that the shop begins with, u-001 to u-200 in order, of Version 1, no two with the same name.
// The caller owns them.
func SeedUsers() []User {
	list := make([]User, seedUsers)
	for i := range list {
		// Each round through the given names meets the family names at another place.
		round := i / len(givenNames)
		name := givenNames[i%len(givenNames)] + " " + familyNames[(7*i+round)%len(familyNames)]
		list[i] = User{
			ID:      fmt.Sprintf("u-%03d", i+1),
			Name:    name,
			Email:   plain.Replace(strings.ToLower(name)) + "@example.com",
			Version: 1,
		}
	}
	return list
}
