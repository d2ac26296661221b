package plugin

import (
	"math"
	"unsafe"

	"github.com/sallyport/sallyport/core/plugin/abi"
)

// args are the arguments of a host call. Texts and regions are views of the guest's memory: they are valid until the
// host call returns, and whoever keeps one copies it.
type args struct {
	call  *call
	stack []uint64
}

func (a args) u32(i int) uint32 { return uint32(a.stack[i]) }

func (a args) i64(i int) int64 { return int64(a.stack[i]) }

func (a args) f64(i int) float64 { return math.Float64frombits(a.stack[i]) }

// region returns the memory that arguments i and i+1 tell of.
func (a args) region(i int) []byte { return a.view(a.u32(i), a.u32(i+1)) }

// view returns n bytes of the guest's memory from p on. If they are not wholly inside, the guest is stopped.
func (a args) view(p, n uint32) []byte {
	if n == 0 {
		return nil
	}
	view, ok := a.call.mem.Read(p, n)
	if !ok {
		panic(&interrupt{Trap, "pointer outside the memory handed to a host function"})
	}
	return view
}

// text returns a region as a string, and charges for it.
func (a args) text(i int) string {
	view := a.region(i)
	a.call.cost += int64(len(view) / bytesPer)
	return unsafe.String(unsafe.SliceData(view), len(view))
}

// bytesOf returns the bytes of a string, which are not to be written to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// read answers a read: the value goes to buf if it fits, the result is its length.
func (a args) read(buf []byte, value string, code abi.Code) int64 {
	if code != ok {
		return int64(code)
	}
	if len(value) <= len(buf) {
		copy(buf, value)
		a.call.cost += int64(len(value) / bytesPer)
	}
	return int64(len(value))
}
