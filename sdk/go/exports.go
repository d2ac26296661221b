package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

//go:wasmexport sallyport_abi
func exportABI() int32 { return abiLevel }

//go:wasmexport on_configure
func exportConfigure() int32 { return configured() }

//go:wasmexport on_request
func exportRequest() int32 { return runRequest(hooks.Request) }

//go:wasmexport on_response
func exportResponse() int32 { return runResponse(hooks.Response) }

//go:wasmexport on_resume
func exportResume() int32 {
	switch request := inRequest(); {
	case request && hooks.ResumeRequest == nil:
		return fail(errNoResumeRequest)
	case request:
		return runRequest(hooks.ResumeRequest)
	case hooks.ResumeResponse == nil:
		return fail(errNoResumeResponse)
	}
	return runResponse(hooks.ResumeResponse)
}

//go:wasmexport on_request_chunk
func exportRequestChunk(size, last int32) int32 {
	if hooks.RequestChunk == nil {
		return int32(Pass)
	}
	return flowed(hooks.RequestChunk(chunkOf(requestMessage, size, last)))
}

//go:wasmexport on_response_chunk
func exportResponseChunk(size, last int32) int32 {
	if hooks.ResponseChunk == nil {
		return int32(Pass)
	}
	return flowed(hooks.ResponseChunk(&response, chunkOf(responseMessage, size, last)))
}

//go:wasmexport on_end
func exportEnd() {
	if hooks.End != nil {
		hooks.End(&response)
	}
}

// inRequest reports whether a hook that is resumed is the request's: in the response's the status could be set, though not to 0.
func inRequest() bool { return ErrorCode(host.SetStatus(0)) == ErrWrongPhase }

func runRequest(hook func(*Request) (Verdict, error)) int32 {
	if hook == nil {
		return int32(Continue)
	}
	verdict, err := callRequest(hook, hooks.ResumeRequest != nil)
	if err != nil {
		return fail(err)
	}
	return int32(verdict)
}

func runResponse(hook func(*Response) error) int32 {
	if hook == nil {
		return 0
	}
	waits, err := callResponse(hook, hooks.ResumeResponse != nil)
	switch {
	case err != nil:
		return fail(err)
	case waits:
		return int32(Wait)
	}
	return 0
}

func flowed(flow Flow, err error) int32 {
	if err != nil {
		return fail(err)
	}
	return int32(flow)
}

func fail(err error) int32 {
	Log(Error, err.Error())
	return failed
}

func chunkOf(message uint32, size, last int32) *Chunk {
	chunk = Chunk{message: message, size: int(size), last: last != 0}
	return &chunk
}
