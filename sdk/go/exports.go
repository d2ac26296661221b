package sallyport

//go:wasmexport sallyport_abi
func exportABI() int32 { return abiLevel }

//go:wasmexport on_configure
func exportConfigure() int32 { return configured() }

//go:wasmexport on_request
func exportRequest() int32 {
	if hooks.Request == nil {
		return int32(Continue)
	}
	verdict, err := hooks.Request(&request)
	if err != nil {
		Log(Error, err.Error())
		return failed
	}
	return int32(verdict)
}

//go:wasmexport on_response
func exportResponse() int32 {
	if hooks.Response == nil {
		return 0
	}
	if err := hooks.Response(&response); err != nil {
		Log(Error, err.Error())
		return failed
	}
	return 0
}

//go:wasmexport on_end
func exportEnd() {
	if hooks.End != nil {
		hooks.End(&response)
	}
}
