package upstream

// usable reports whether the endpoint may be picked.
func (e *Endpoint) usable() bool { return !e.down.Load() }

// drained reports whether the operator wants the endpoint to have no exchanges, not even in a panic.
func (e *Endpoint) drained() bool { return false }
