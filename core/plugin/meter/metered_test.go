package meter

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

// FuzzMetered compares plain and metered: results, traps and memory are the same, and the fuel spent does not depend on
// where slices end. The input is a module, or else what a random program is made of.
func FuzzMetered(f *testing.F) {
	for _, name := range []string{"control", "bulk", "recurse", "segments"} {
		f.Add(fixture(f, name))
	}
	for seed := range uint64(16) {
		f.Add(seeded(seed))
		f.Add(assemble(generate(seed)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte(magic)) {
			differModule(t, data)
		} else {
			differ(t, program(data), 2_000_000, 4, uint64(len(data)))
		}
	})
}

// TestMetered does the same with programs of a fixed seed.
func TestMetered(t *testing.T) {
	programs := 300
	if testing.Short() {
		programs = 100
	}
	returned := 0
	for seed := range uint64(programs) {
		if differ(t, program(seeded(seed)), 2_000_000, 4, seed) == nil {
			returned++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if returned < programs/5 || returned == programs {
		t.Errorf("%d of %d programs return", returned, programs)
	}
}

// seeded returns random bytes for a program.
func seeded(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, 16+r.IntN(400))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// differModule runs the exports of a module that is small enough. Only what ends metered is run plain.
func differModule(t *testing.T, wasm []byte) {
	m, err := load(wasm, Limits{MemoryPages: 1024, TableEntries: maxTableEntries})
	if err != nil || m.memory != nil && m.memory.min > 64 {
		return
	}
	for _, table := range m.tables {
		if table.min > 10_000 {
			return
		}
	}
	differ(t, wasm, 200_000, 3, uint64(len(wasm)))
}

// outcome is what can be seen of a run: per export its results or its trap, and the memory after it.
type outcome struct {
	results [][]uint64
	traps   []string
	memory  [][]byte
	spent   int64
	fuel    error // out of fuel or stack
}

// differ runs every export with two arguments, and returns the error of the last one.
func differ(t *testing.T, wasm []byte, budget int64, args ...uint64) error {
	m, err := Rewrite(wasm, Limits{MemoryPages: 1024, TableEntries: maxTableEntries})
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	h.hasMemory = m.MemoryMax > 0
	if h.compiles(wasm) != nil {
		return nil
	}
	long := observe(h, m.Wasm, budget, 1_000_000, args)
	if long.fuel != nil {
		return long.fuel
	}
	short := observe(h, m.Wasm, budget, int64(1+args[1]%300), args)
	plain := observe(h, wasm, budget, 1, args)
	for _, o := range []outcome{long, short} {
		same := slices.EqualFunc(o.results, plain.results, slices.Equal) && slices.Equal(o.traps, plain.traps)
		if !same || !slices.EqualFunc(o.memory, plain.memory, bytes.Equal) {
			t.Errorf("plain %v %q, metered %v %q", plain.results, plain.traps, o.results, o.traps)
		}
	}
	last := strings.Join(long.traps, "")
	if last == "" && long.spent != short.spent {
		t.Errorf("spent %d in long slices and %d in short ones", long.spent, short.spent)
	}
	if last != "" {
		return errors.New(last)
	}
	return nil
}

func observe(h *host, wasm []byte, budget, slice int64, args []uint64) (o outcome) {
	h.budget, h.slice = budget, slice
	i, err := h.start(wasm)
	if err != nil {
		o.traps = []string{kind(err)}
		o.fuel = exhausted(nil, err)
		return o
	}
	defer i.mod.Close(context.Background())
	var names []string
	for name, def := range i.mod.ExportedFunctionDefinitions() {
		if len(def.ParamTypes()) <= len(args) && !slices.Contains(def.ParamTypes(), api.ValueType(typeV128)) &&
			!slices.ContainsFunc(append(def.ParamTypes(), def.ResultTypes()...), isReference) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		results, spent, err := i.call(name, args[:len(i.mod.ExportedFunction(name).Definition().ParamTypes())]...)
		o.results, o.traps, o.spent = append(o.results, results), append(o.traps, kind(err)), o.spent+spent
		if memory := i.mod.Memory(); h.hasMemory {
			b, _ := memory.Read(0, memory.Size())
			o.memory = append(o.memory, bytes.Clone(b))
		}
		if o.fuel = exhausted(i, err); err != nil {
			break // an instance that trapped is dropped
		}
	}
	return o
}

func isReference(v api.ValueType) bool { return isRefType(v) }

// exhausted returns the error if it means that the fuel or the stack was used up.
func exhausted(i *instance, err error) error {
	if errors.Is(err, errFuel) || err != nil && (strings.Contains(err.Error(), "fuel spent") ||
		i == nil || i.depth != nil && int32(i.depth.Get()) < 0) {
		return err
	}
	return nil
}

// kind is the first line of a trap, which tells its kind.
func kind(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
