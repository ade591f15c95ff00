package shop

// Bounds of what is asked and answered, the same wherever a feature is served.
const (
	// MaxQuantity is how many units one order can have; the least is 1.
	MaxQuantity = 100
	// PurchasesShown is how many orders one Purchases answer holds at most.
	PurchasesShown = 20
	// SellersShown is how many rows one TopSellers answer holds at most.
	SellersShown = 5
)

const (
	// UnitsDelivered is how many units of each product are there at first, and how many a delivery brings.
	UnitsDelivered = 1000
	// LowLevel is the level below which a delivery comes, so that the traffic never runs the shop dry for long.
	LowLevel = 100
)
