// Package meter rewrites a WebAssembly module so that it counts the work it does and the stack it takes.
//
// It takes bytes and gives bytes. The module is decoded in full and every index is checked against the module's own
// counts before anything is appended: a guest that names what the meter is about to append is refused.
//
// # What is appended
//
//   - FuelGlobal, an exported mutable i64. It is lowered at every function entry and loop header by the cost of the
//     dearest way to the next such point, and before each bulk operation by the operation's length. A call pays
//     CallUnits ahead towards the entry of what it calls, and an entry that costs no more has no charge: no chain of
//     such entries is endless, for a call costs more than they may. In a short loop without calls a local holds the fuel.
//   - An imported function RefillModule.RefillName, () -> (). The guest calls it when the fuel is below zero.
//   - DepthGlobal, an exported mutable i32: the bytes of guest stack left. Functions that can recurse take their
//     frame's estimate from it on entry and give it back on every exit.
//
// # What the host does
//
// Before a call it sets FuelGlobal to the first slice less CallUnits, for its calls pay as the guest's do. The refill function reads the global, which is
// negative by what the guest has overdrawn, and either raises it to zero or more, so that the guest goes on, or panics,
// so that the guest traps. One charge may be far greater than a slice (a memory.fill of 4 GiB is 512 M units), so the
// grant must cover what is overdrawn and not just add a slice: with spent = granted - FuelGlobal, refuse when spent is
// over the budget, else set FuelGlobal to the next slice and count granted = spent + slice.
//
// FuelGlobal starts at Limits.InitialFuel and DepthGlobal at Limits.StackBytes, so a start function, which runs before
// the host can set anything, is bounded too. DepthGlobal comes back to its start value with every call that returns; the
// host need not set it. After a trap a negative DepthGlobal means that the stack was exhausted: no other trap leaves it
// negative. After any trap the globals are out of date (FuelGlobal by less than a slice) and the instance must be dropped.
//
// A host function must not call back into the instance that called it: functions that recurse only through the host
// would not be counted.
package meter

// The names of what Rewrite appends. A module that imports from RefillModule or exports one of the globals' names is
// refused.
const (
	FuelGlobal   = "sallyport_fuel"
	DepthGlobal  = "sallyport_depth"
	RefillModule = "sallyport_meter"
	RefillName   = "refill"
)

// CallUnits is the fuel that a call pays for the entry of the function called; the host pays it for a call from outside.
const CallUnits = 40

// The kinds of exports, as in the binary format.
const (
	KindFunc   = 0
	KindTable  = 1
	KindMemory = 2
	KindGlobal = 3
)

// Import is a function that the module wants of its host. Params and Results are value types of the binary format
// (0x7f is i32, 0x7e i64, 0x7d f32, 0x7c f64).
type Import struct {
	Module, Name    string
	Params, Results []byte
}

// Export is something that the module offers. Params and Results are set for functions.
type Export struct {
	Name            string
	Kind            byte
	Params, Results []byte
}

// Info describes a module as its author built it, without what Rewrite appends. MemoryMax is the maximum after the
// clamp to Limits.MemoryPages; both are in pages of 64 KiB and zero without a memory.
type Info struct {
	Imports              []Import
	Exports              []Export
	MemoryMin, MemoryMax uint32
	HasStart             bool
	CompileWork          int // what compiling takes, in bytes of ordinary code; see Limits.CompileWork
	CustomSections       []string
	Producers            []Producer
}

// Module is a rewritten module.
type Module struct {
	Wasm []byte
	Info
}

// Rewrite returns the module with counters in it, held to the limits. It keeps nothing of wasm, may be called
// concurrently, and never panics; its errors are of type *Error.
func Rewrite(wasm []byte, l Limits) (*Module, error) {
	m, err := load(wasm, l)
	if err != nil {
		return nil, err
	}
	return &Module{Wasm: emit(m, CallUnits), Info: m.info()}, nil
}

// Inspect decodes and checks a module as Rewrite does under DefaultLimits, except that memories and tables may have any
// size, and describes it.
func Inspect(wasm []byte) (*Info, error) {
	l := DefaultLimits()
	l.MemoryPages, l.TableEntries = maxPages, maxTableEntries
	m, err := load(wasm, l)
	if err != nil {
		return nil, err
	}
	info := m.info()
	return &info, nil
}

func load(wasm []byte, l Limits) (*module, error) {
	m := &module{wasm: wasm, lim: l.withDefaults()}
	if err := m.decode(); err != nil {
		return nil, err
	}
	m.findRecursive()
	return m, nil
}
