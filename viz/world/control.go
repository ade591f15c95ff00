package world

// controls says whether nodes can be acted on; nothing is shown of it until a runtime or the server has told.
type controls struct {
	stamp
	said, shown Control
}

func (w *World) controlSeen(o ControlSeen) {
	w.control.said = Control{Can: o.Can, Why: clip(o.Why)}
	w.touch(&w.control)
}

func (c *controls) settle(*World, int64) bool {
	changed := c.said != c.shown || c.rev == 0
	c.shown = c.said
	return changed
}
