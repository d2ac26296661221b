package upstream

// usable reports whether the endpoint may be picked.
func (e *Endpoint) usable() bool { return true }
