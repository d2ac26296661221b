package plugin

import (
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// hook is one of the moments at which this release calls a plugin.
type hook uint8

const (
	onRequest hook = iota
	onResponse
	onEnd
	onRequestChunk
	onResponseChunk
	onResume // after a wait of onRequest or onResponse, in that one's phase
	hookCount
)

// hookInfo is what there is to know of a hook.
type hookInfo struct {
	export string
	bit    abi.Hooks
	phase  abi.Phases
}

var hooks = [hookCount]hookInfo{
	onRequest:       {abi.ExportRequest, abi.HookRequest, abi.InRequest},
	onResponse:      {abi.ExportResponse, abi.HookResponse, abi.InResponse},
	onEnd:           {abi.ExportEnd, abi.HookEnd, abi.InEnd},
	onRequestChunk:  {abi.ExportRequestChunk, abi.HookRequestChunks, abi.InRequestChunk},
	onResponseChunk: {abi.ExportResponseChunk, abi.HookResponseChunks, abi.InResponseChunk},
	onResume:        {export: abi.ExportResume},
}

// judge says what is wrong with a hook's result, if anything. A resumed hook is judged as the one that waited.
func (h hook) judge(result int32, responded, waits bool) error {
	switch {
	case result == abi.ResultContinue || h == onEnd: // which has no result
		return nil
	case result == abi.ChunkAbort && (h == onRequestChunk || h == onResponseChunk):
		return nil
	case result == abi.ResultRespond && h == onRequest && responded:
		return nil
	case result == abi.ResultRespond && h == onRequest:
		return &interrupt{BadResult, "returned 1 (respond) without having called respond"}
	case result == abi.ResultWait && waits && (h == onRequest || h == onResponse):
		return nil
	case result == abi.ResultWait:
		return &interrupt{BadResult, "returned 2 (wait) with nothing under way, or without exporting on_resume"}
	}
	if result < 0 {
		return &interrupt{BadResult, fmt.Sprintf("returned %d: what it could not do stands in its log, if anywhere", result)}
	}
	return &interrupt{BadResult, fmt.Sprintf("returned %d, which means nothing", result)}
}

// waits reports whether a result that was judged means that the hook goes on later.
func (h hook) waits(result int32) bool {
	return result == abi.ResultWait && (h == onRequest || h == onResponse)
}

// checkHooks reports what is wrong with the bits that on_configure returned.
func checkHooks(wants abi.Hooks, exported map[string]bool) error {
	if unknown := wants &^ abi.KnownHooks; unknown != 0 {
		return fmt.Errorf("on_configure asks for hook bits %#x, which ABI level %d does not have", uint32(unknown), abi.Level)
	}
	switch {
	case wants&abi.HookRequestBody != 0 && wants&abi.HookRequestChunks != 0:
		return errors.New("on_configure asks for the request's body both whole and in chunks")
	case wants&abi.HookResponseBody != 0 && wants&abi.HookResponseChunks != 0:
		return errors.New("on_configure asks for the response's body both whole and in chunks")
	}
	for _, info := range abi.AllHooks() {
		if wants&info.Hook != 0 && info.Export != "" && !exported[info.Export] {
			return fmt.Errorf("on_configure asks for %q (%d), but %s is not exported", info.Name, info.Hook, info.Export)
		}
	}
	return nil
}
