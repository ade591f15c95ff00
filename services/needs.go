package services

// Needs is whom a service of the shop has to reach, and nobody else. All are node ids.
type Needs struct {
	Service string
	Store   string   // its own; empty: it has none
	Bus     bool     // it takes part in the bus
	Calls   []string // services that it asks
	Reaches []string // others' stores that it uses directly in the pattern shared
}

// Wiring lists what each service needs, in a stable order.
func Wiring() []Needs {
	needs := make([]Needs, len(all))
	for i, s := range all {
		needs[i] = Needs{Service: s.name, Bus: !s.offBus, Calls: s.calls, Reaches: s.reaches}
		if s.engine != "" {
			needs[i].Store = storeOf(s.name)
		}
	}
	return needs
}
