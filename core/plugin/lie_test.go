package plugin

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// lie is a call with one thing wrong in it.
type lie struct {
	what    string
	args    []uint64
	outside bool                    // a region is not inside the memory
	allowed func(answer int64) bool // nil: any that the ABI knows
}

func exactly(code abi.Code) func(int64) bool {
	return func(answer int64) bool { return answer == int64(code) }
}

// regionLies are pointers and lengths, with whether they are outside of the memory.
var regionLies = []struct {
	pointer, length uint32
	outside         bool
}{
	{0, 0, false}, {liarMemory, 0, false}, {math.MaxUint32, 0, false}, {liarMemory - 1, 1, false},
	{liarMemory, 1, true}, {liarMemory - 1, 2, true}, {math.MaxUint32, 1, true}, {math.MaxInt32, 1, true}, {0, liarMemory + 1, true},
	{0, math.MaxUint32, true}, {1, math.MaxUint32, true}, {math.MaxUint32, math.MaxUint32, true}, {0, math.MaxInt32, true},
	{1 << 31, 1 << 31, true}, {liarMemory - 8, 1 << 31, true},
}

// numberLies are what else a parameter may be.
var numberLies = []uint32{0, 1, 2, 3, 4, 15, 16, 17, 199, 200, 600, 65535, math.MaxInt32, 1 << 31, math.MaxUint32 - 1, math.MaxUint32}

// isRegion reports whether parameter i is a pointer with its length behind it.
func isRegion(params []abi.Param, i int) bool {
	if i+1 >= len(params) {
		return false
	}
	next := params[i+1].Name
	return next == params[i].Name+"_len" || params[i].Name == "buf" && (next == "cap" || next == "len")
}

// liarText is the name and the value of everything.
const liarText = "id"

// honest returns arguments that mean something.
func honest(f abi.Function, phase abi.Phases) []uint64 {
	args := make([]uint64, len(f.Params))
	for i, p := range f.Params {
		switch {
		case p.Name == "buf":
			args[i], args[i+1] = liarOut, 64
		case p.Name == "labels" || p.Name == "fields": // none
		case isRegion(f.Params, i):
			args[i], args[i+1] = liarTexts, uint64(len(liarText))
		case p.Name == "msg" && phase&(abi.InResponse|abi.InResponseChunk) != 0, p.Name == "level", p.Name == "n", p.Name == "delta":
			args[i] = 1
		case p.Name == "value":
			args[i] = math.Float64bits(1)
		case p.Name == "field":
			args[i] = uint64(abi.Consumer)
		case p.Name == "status" || p.Name == "code":
			args[i] = 200
		case p.Name == "out":
			args[i] = liarOut
		}
	}
	return args
}

// liesOf returns all lies to a function, told of one parameter after the other, and one of all at once.
func liesOf(f abi.Function, phase abi.Phases) (lies []lie) {
	truth := honest(f, phase)
	with := func(i int, values ...uint64) []uint64 {
		args := slices.Clone(truth)
		copy(args[i:], values)
		return args
	}
	overlapping := slices.Clone(truth)
	for i := 0; i < len(f.Params); i++ {
		p := f.Params[i]
		switch {
		case isRegion(f.Params, i):
			lies = append(lies, liesOfRegion(f, i, with)...)
			overlapping[i], overlapping[i+1] = liarTexts, uint64(len(liarText))
			i++
		case p.Type == abi.I32:
			for _, v := range numberLies {
				outside := p.Name == "out" && uint64(v)+8 > liarMemory
				lies = append(lies, lie{fmt.Sprintf("%s = %#x", p.Name, v), with(i, uint64(v)), outside, answersTo(f, p.Name, v)})
			}
		default:
			for _, v := range []uint64{0, 1, 1 << 63, math.MaxInt64, math.MaxUint64, math.Float64bits(math.Inf(1)), math.Float64bits(math.NaN())} {
				lies = append(lies, lie{fmt.Sprintf("%s = %#x", p.Name, v), with(i, v), false, nil})
			}
		}
	}
	return append(lies, lie{"the truth", truth, false, nil}, lie{"overlapping", overlapping, false, nil})
}

func liesOfRegion(f abi.Function, i int, with func(int, ...uint64) []uint64) (lies []lie) {
	name := f.Params[i].Name
	for _, r := range regionLies {
		l := lie{fmt.Sprintf("%s = %#x, %#x", name, r.pointer, r.length), with(i, uint64(r.pointer), uint64(r.length)), r.outside, nil}
		if f.Name == "kv_swap" && name == "old" && r.length == abi.NoOldValue {
			l.outside = false // that there is none: the pointer is not looked at
		}
		lies = append(lies, l)
	}
	all := lie{name + " is all of the memory", with(i, 0, liarMemory), false, exactly(abi.TooLarge)}
	switch {
	case name == "text": // which is cut
		all.allowed = exactly(ok)
	case name == "buf" && f.Name != "random", name == "body", f.Name == "body_write", name == "data" && f.Name == "schema_check": // there is no such limit, or a higher one
		all.allowed = nil
	case name == "labels" || name == "fields":
		all.allowed = func(answer int64) bool { return answer == int64(abi.TooLarge) || answer == int64(abi.Invalid) }
	}
	return append(lies, all)
}

// answersTo returns what the ABI says about a value of a parameter, nil where it depends.
func answersTo(f abi.Function, param string, v uint32) func(int64) bool {
	writes := f.Name == "body_write" || strings.HasPrefix(f.Name, "header_") && f.Name != "header_get" && f.Name != "header_all"
	switch {
	case f.Name == "schema_check" && param == "msg" && v == uint32(abi.NoMessage):
		return func(got int64) bool { return got >= 0 }
	case param == "msg" && v > 3 && (v < uint32(abi.FirstFetch) || writes), param == "level" && v > 3,
		(param == "status" || param == "code") && (v < 200 || v > 599), param == "field" && v > 13, param == "n" && v == 0:
		return exactly(abi.Invalid)
	case param == "msg" && v >= uint32(abi.FirstFetch), param == "id":
		return exactly(abi.NotFound)
	case param == "n" && v > 10:
		return exactly(abi.TooLarge)
	}
	return nil
}
