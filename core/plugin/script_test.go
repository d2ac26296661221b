package plugin

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// Where the guest testdata/guests/probe.wat keeps things.
const (
	probeScript  = 4096
	probeResults = 65536
	probeBuffers = 2 * 65536
	probeMemory  = 4 * 65536
)

// buf is an argument that stands for a buffer of that size, as buf and cap.
type buf int

// pointer is an argument that stands for a pointer to room for an i64.
type pointer struct{}

// stepWords is how many words a step of a script has.
const stepWords = 12

// step is a host call: the name of the function and its arguments. A string stands for pointer and length; an int64 and a float64
// take two words.
type step struct {
	function string
	args     []any
}

func do(function string, args ...any) step { return step{function, args} }

// trap ends a phase's script.
var trap = step{function: "unreachable"}

// script is what a probe does, and answers, in each phase.
type script struct {
	hooks     abi.Hooks
	configure []step
	request   []step
	response  []step
	end       []step
	resume    []step
	results   [3]int32 // of on_configure (0: hooks), on_request and on_response
	resumed   int32    // of on_resume
}

// steps returns all steps in the order of their results.
func (s *script) steps() []step {
	return slices.Concat(s.configure, s.request, s.response, s.end, s.resume)
}

// compile makes the configuration that the probe runs.
func (s *script) compile(t testing.TB) []byte {
	t.Helper()
	steps := s.steps()
	words := make([]uint32, 16+stepWords*len(steps))
	words[0] = uint32(s.hooks)
	first := 0
	for i, phase := range [][]step{s.configure, s.request, s.response, s.end, s.resume} {
		words[1+3*i], words[2+3*i] = uint32(first), uint32(len(phase))
		if i < len(s.results) {
			words[3+3*i] = uint32(s.results[i])
		}
		first += len(phase)
	}
	words[15] = uint32(s.resumed)
	var texts []byte
	buffers := uint32(probeBuffers)
	for i, step := range steps {
		out := words[16+stepWords*i:]
		out[0] = functionNumber(t, step.function)
		n := 1
		for _, arg := range step.args {
			switch arg := arg.(type) {
			case int:
				out[n] = uint32(arg)
				n++
			case int64:
				out[n], out[n+1] = uint32(arg), uint32(arg>>32)
				n += 2
			case float64:
				bits := math.Float64bits(arg)
				out[n], out[n+1] = uint32(bits), uint32(bits>>32)
				n += 2
			case pointer:
				out[n] = buffers
				buffers += 8
				n++
			case buf:
				out[n], out[n+1] = buffers, uint32(arg)
				buffers += uint32(arg)
				n += 2
			case string:
				out[n], out[n+1] = uint32(probeScript+4*len(words)+len(texts)), uint32(len(arg))
				texts = append(texts, arg...)
				n += 2
			}
		}
	}
	var blob []byte
	for _, word := range words {
		blob = binary.LittleEndian.AppendUint32(blob, word)
	}
	blob = append(blob, texts...)
	if len(blob) > probeResults-probeScript {
		t.Fatalf("script of %d bytes is too long for the probe", len(blob))
	}
	return blob
}

// functionNumber returns the probe's number of a host function: its place in the ABI's table.
func functionNumber(t testing.TB, name string) uint32 {
	t.Helper()
	for n, f := range abi.Functions() {
		if f.Name == name {
			return uint32(n)
		}
	}
	if name != trap.function {
		t.Fatalf("no function %q", name)
	}
	return 100
}

// outcome renders what a step returned: the number, and what was read into its buffer.
func (s *script) outcomes(i *instance) []string {
	var all []string
	buffers := uint32(probeBuffers)
	for n, step := range s.steps() {
		raw, _ := i.mod.Memory().ReadUint64Le(uint32(probeResults + 8*n))
		text := fmt.Sprint(int64(raw))
		for _, arg := range step.args {
			size, isBuffer := arg.(buf)
			if _, isPointer := arg.(pointer); isPointer {
				sum, _ := i.mod.Memory().ReadUint64Le(buffers)
				text += fmt.Sprintf(" %d", int64(sum))
				buffers += 8
			}
			if !isBuffer {
				continue
			}
			view, _ := i.mod.Memory().Read(buffers, uint32(size))
			if length := int64(raw); length >= 0 && length <= int64(size) && step.function != "random" {
				text += " " + strings.ToValidUTF8(string(view[:length]), "?")
			}
			buffers += uint32(size)
		}
		all = append(all, text)
	}
	return all
}

// newProbe returns a pool of one probe that runs the script. On a slow machine nobody is late for it, nor are its fetches.
func newProbe(t testing.TB, s *script) (*Pool, *logBook) {
	t.Helper()
	h, book := newHost(t)
	return configure(t, load(t, h, "probe", Limits{MaxInstances: 1, WaitTimeout: time.Minute, FetchTimeout: time.Minute}), s.compile(t)), book
}
