package abi

// The names of what a plugin exports.
const (
	ExportMemory        = "memory"
	ExportABI           = "sallyport_abi"
	ExportInitialize    = "_initialize"
	ExportConfigure     = "on_configure"
	ExportRequest       = "on_request"
	ExportResponse      = "on_response"
	ExportResume        = "on_resume"
	ExportRequestChunk  = "on_request_chunk"
	ExportResponseChunk = "on_response_chunk"
	ExportEnd           = "on_end"
)

// Export is a function that a plugin exports.
type Export struct {
	Name string
	Signature
	Required bool // of every plugin
}

// Exports returns every function that the host may call.
func Exports() []Export {
	code := Signature{Result: I32}
	chunk := Signature{Params: i32s("len", "last"), Result: I32}
	return []Export{
		{Name: ExportABI, Signature: code, Required: true},
		{Name: ExportInitialize},
		{Name: ExportConfigure, Signature: code, Required: true},
		{Name: ExportRequest, Signature: code},
		{Name: ExportResponse, Signature: code},
		{Name: ExportResume, Signature: code},
		{Name: ExportRequestChunk, Signature: chunk},
		{Name: ExportResponseChunk, Signature: chunk},
		{Name: ExportEnd},
	}
}
