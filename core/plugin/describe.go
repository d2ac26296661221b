package plugin

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/sallyport/sallyport/core/plugin/abi"
	"github.com/sallyport/sallyport/core/plugin/meter"
)

// Description is what can be known of a module without running it. Sizes are bytes.
type Description struct {
	Hash      string // SHA-256 in lower-case hex
	Size      int
	Metered   int    // after the meter's rewriting; 0 if it refuses the module
	MemoryMin int64  // linear memory at first
	MemoryMax int64  // the most that the module asks for
	Exports   []Port // functions
	Imports   []Port // functions
	Needs     []Need // grants that its imports call for
	Producers []meter.Producer
}

// Port is a function that a module exports or imports.
type Port struct {
	Module    string // that it is imported from; "" for an export
	Name      string
	Signature string // as text: (i32, i32) -> i32
}

// Describe decodes a module. It fails only for what is no module, or none that the meter could check.
func Describe(wasm []byte) (*Description, error) {
	info, err := meter.Inspect(wasm)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(wasm)
	d := &Description{
		Hash: hex.EncodeToString(sum[:]), Size: len(wasm), Producers: info.Producers,
		MemoryMin: int64(info.MemoryMin) * pageSize, MemoryMax: int64(info.MemoryMax) * pageSize,
		Needs: needsOf(info),
	}
	for _, e := range info.Exports {
		if e.Kind == meter.KindFunc {
			d.Exports = append(d.Exports, Port{Name: e.Name, Signature: describe(e.Params, e.Results)})
		}
	}
	for _, i := range info.Imports {
		d.Imports = append(d.Imports, Port{i.Module, i.Name, describe(i.Params, i.Results)})
	}
	if metered, err := meter.Rewrite(wasm, meter.Limits{}); err == nil {
		d.Metered = len(metered.Wasm)
	}
	return d, nil
}

// Hooks returns the hooks that the plugin asked for when it was configured.
func (p *Pool) Hooks() abi.Hooks { return p.wants }

// Level returns the ABI level that the plugin says it was built for.
func (p *Pool) Level() int { return int(p.level) }
