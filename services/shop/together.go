package shop

// TogetherShown is how many products one Recommendations answer holds at most.
const TogetherShown = 5

// Recommendations is the answer of GET /copies/recommendations/{product}: what users who bought the product bought besides.
type Recommendations struct {
	ProductID   string     `json:"product_id"`
	ProductName string     `json:"product_name"` // empty where it is not known yet
	With        []Together `json:"with"`         // most often first, ties by product id; TogetherShown at most
}

// Together is a product that was bought by users of another one.
type Together struct {
	ProductID   string `json:"product_id"`
	ProductName string `json:"product_name"` // empty where it is not known yet
	Together    int64  `json:"together"`     // users who bought both
}
