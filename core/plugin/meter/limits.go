package meter

// Limits bound what a module may ask for and how large its parts may be. A field that is zero takes its value from
// DefaultLimits. The structural ones keep the compiler's time linear: it is quadratic in the loops of a function.
type Limits struct {
	MemoryPages  uint32 // most pages of 64 KiB; a memory's maximum is clamped, a greater minimum refused
	TableEntries uint32 // most entries of a table; clamped and refused likewise
	StackBytes   uint32 // guest stack that recursing functions may take, by estimate
	InitialFuel  int64  // what FuelGlobal starts at: the budget of a start function until the first refill

	ModuleBytes     int // size of the whole module
	BodyBytes       int // code of one function
	LocalsPerFunc   int // parameters included
	LocalsPerModule int // a few bytes can declare thousands, and the compiler keeps a word for each
	LoopsPerFunc    int
	Nesting         int // blocks, loops and ifs inside each other
	BranchTargets   int // of one br_table
	JoinsPerFunc    int // pairs of a block and a local assigned in it: the compiler makes a value of each
	JoinsPerModule  int
	LoopWork        int // the functions' numbers of loops, squared, in sum: 100 to 200 ns of the compiler's each
	BranchWork      int // the same of places where control flow branches or joins: 1 to 8 ns each
	CompileWork     int // what compiling takes, in bytes of ordinary code, see compile.go
	Arity           int // parameters, and results, of one type
	Tables          int
	Items           int // types, imports, globals and element segments, of each: the compiler makes code for each type, each instance has its globals
	DataSegments    int
	Entries         int // of all element segments: each instance has them
	PointsPerModule int // function entries and loop headers
}

// DefaultLimits returns the limits that a plugin has unless it is given others: 16 MiB of memory, 1 MiB of stack.
func DefaultLimits() Limits {
	return Limits{
		MemoryPages:  256,
		TableEntries: 1 << 16,
		StackBytes:   1 << 20,
		InitialFuel:  1_000_000,

		ModuleBytes:     32 << 20,
		BodyBytes:       256 << 10, // 11 MB of stock Go has one of 50 KB; the compiler takes 300 times as much memory for the worst
		LocalsPerFunc:   5000,
		LocalsPerModule: 2_000_000,
		LoopsPerFunc:    1000,
		Nesting:         2000, // stock Go nests a block for every place where a function may be resumed
		BranchTargets:   4096,
		JoinsPerFunc:    50_000,
		JoinsPerModule:  2_000_000,
		LoopWork:        2_000_000,   // what tools build has a few thousand
		BranchWork:      500_000_000, // 11 MB of stock Go has 150 million
		CompileWork:     12_000_000,  // what stock Go builds for a plugin has 2 million, TinyGo and Rust a tenth of it
		Arity:           256,
		Tables:          16,
		Items:           10_000, // stock Go has 20 types, 30 imports, 10 globals
		DataSegments:    100_000,
		Entries:         250_000,
		PointsPerModule: 250_000,
	}
}

const (
	maxPages        = 1 << 16
	maxTableEntries = 1 << 27 // the engine's own limit
	maxStackBytes   = 1 << 30 // so that one frame below zero cannot wrap the i32 counter
)

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.MemoryPages, d.MemoryPages)
	orDefault(&l.TableEntries, d.TableEntries)
	orDefault(&l.StackBytes, d.StackBytes)
	orDefault(&l.InitialFuel, d.InitialFuel)
	orDefault(&l.ModuleBytes, d.ModuleBytes)
	orDefault(&l.BodyBytes, d.BodyBytes)
	orDefault(&l.LocalsPerFunc, d.LocalsPerFunc)
	orDefault(&l.LocalsPerModule, d.LocalsPerModule)
	orDefault(&l.LoopsPerFunc, d.LoopsPerFunc)
	orDefault(&l.Nesting, d.Nesting)
	orDefault(&l.BranchTargets, d.BranchTargets)
	orDefault(&l.JoinsPerFunc, d.JoinsPerFunc)
	orDefault(&l.JoinsPerModule, d.JoinsPerModule)
	orDefault(&l.LoopWork, d.LoopWork)
	orDefault(&l.BranchWork, d.BranchWork)
	orDefault(&l.CompileWork, d.CompileWork)
	orDefault(&l.Arity, d.Arity)
	orDefault(&l.Tables, d.Tables)
	orDefault(&l.Items, d.Items)
	orDefault(&l.DataSegments, d.DataSegments)
	orDefault(&l.Entries, d.Entries)
	orDefault(&l.PointsPerModule, d.PointsPerModule)
	l.MemoryPages = min(l.MemoryPages, maxPages)
	l.TableEntries = min(l.TableEntries, maxTableEntries)
	l.StackBytes = min(l.StackBytes, maxStackBytes)
	return l
}

func orDefault[T int | uint32 | int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
