package control

// CannotMake is a runtime that starts and ends nodes and cannot make them: a container that was never created, say.
type CannotMake interface {
	// HowToMake says in a sentence what to type so that a node which is not there comes to be.
	HowToMake() string
}

var _ CannotMake = (*Docker)(nil)

// HowToMake is [CannotMake.HowToMake]: what joins later is in the profile of that name, by the rule of our compose files.
func (d *Docker) HowToMake() string {
	return "The dashboard cannot create containers; type: docker compose --profile later up -d"
}
