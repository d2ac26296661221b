package sallyport

// scratch receives what the gateway's reads return. Only one hook runs at a time, so one is enough.
var scratch = make([]byte, 1024)

// outgrown reports whether a value of n bytes did not fit, and makes room for it.
func outgrown(n int32) bool {
	if int(n) <= len(scratch) {
		return false
	}
	scratch = make([]byte, max(int(n), 2*len(scratch)))
	return true
}

// held returns the value of n bytes that was read, and whether there is one.
func held(n int32) ([]byte, bool) {
	if n < 0 {
		return nil, false
	}
	return scratch[:n:n], true
}
