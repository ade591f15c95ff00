package tour

// Forms are the forms of deeds, conditions and measures, one a line, as authors write them: capitals stand for a name or a
// number, | between words for a choice, and what is in square brackets may be left out.
func Forms() []string {
	var all []string
	for _, f := range deedForms {
		all = append(all, "do: "+f.shape)
	}
	for _, f := range conditionForms {
		all = append(all, "until: "+f.shape)
	}
	for _, f := range measureForms {
		all = append(all, "measure: {"+f.shape+"}")
	}
	return all
}
