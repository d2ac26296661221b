package host

import (
	"slices"
	"testing"
)

// The codes are those that core/plugin's tests want of the gateway itself.
func TestBodyCodes(t *testing.T) {
	read := func(msg, offset uint32) int32 { return BodyRead(msg, offset, make([]byte, 5)) }
	trailer := func(msg uint32) int32 { return HeaderGet(msg, "checksum", nil) }
	tests := []struct {
		name  string
		phase Phase
		held  bool
		calls func() []int32
		want  []int32
	}{
		{"request, whole", InRequest, true, func() []int32 {
			return []int32{
				BodySize(0), read(0, 7), read(0, 12), read(0, 1<<32-1), BodySize(1), BodySize(2), BodySize(3), BodySize(4), BodySize(16),
				trailer(2), trailer(3), HeaderSet(2, "a", "b"), HeaderSet(3, "a", "b"), HeaderSet(16, "a", "b"), HeaderSet(4, "a", "b"),
				BodyWrite(1, nil), BodyWrite(2, nil), BodyWrite(3, nil), BodyWrite(16, nil), BodyWrite(4, nil), BodyWrite(0, nil), BodySize(0),
				Status(2), Status(3), Status(16),
			}
		}, []int32{12, 5, 0, 0, -4, -2, -4, -2, -1, 3, -4, -4, -4, -2, -2, -4, -4, -4, -2, -2, 0, 0, -2, -4, -1}},
		{"request, head only", InRequest, false, func() []int32 {
			return []int32{
				BodySize(0), read(0, 0), BodyWrite(0, nil), trailer(2), BodyWrite(1, nil),
				Answer(200, []byte("mine")), read(1, 0), BodyWrite(1, []byte("better")), BodySize(1), trailer(3),
			}
		}, []int32{-4, -4, -4, -4, -4, 0, 4, 0, 6, 3}},
		{"response, whole", InResponse, true, func() []int32 {
			return []int32{BodySize(1), BodySize(0), trailer(3), trailer(2), BodyWrite(0, nil), BodyWrite(1, make([]byte, 1<<20+1)), BodyWrite(1, nil)}
		}, []int32{5, -4, 3, -4, -4, -5, 0}},
		{"response, head only", InResponse, false, func() []int32 {
			return []int32{BodySize(1), BodyWrite(1, make([]byte, 1<<20+1)), trailer(3), Answer(204, nil), BodyWrite(1, []byte("x")), BodyWrite(1, nil), trailer(3)}
		}, []int32{-4, -4, -4, 0, -2, 0, -1}},
		{"end", InEnd, false, func() []int32 {
			return []int32{
				BodySize(0), BodySize(1), trailer(2), trailer(3), BodyWrite(0, nil), BodyWrite(16, nil), HeaderSet(1, "a", "b"), HeaderRemove(16, "a"),
				Set(5, ""), Set(10, ""), Answer(200, nil), SetStatus(200), AttrSet("a", "b"), StateSet(nil), AttrGet("a", nil), Get(1, nil), Status(1),
			}
		}, []int32{-4, -4, 3, 3, -4, -4, -4, -4, -4, -4, -4, -4, -4, 0, -1, 3, 200}},
		{"configure", Configuring, true, func() []int32 {
			return []int32{BodySize(0), read(1, 0), BodyWrite(0, nil), BodyWrite(16, nil), trailer(2)}
		}, []int32{-4, -4, -4, -4, -4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := &Exchange{Method: "GET", RequestBody: "hello, world", Body: "there", Status: 200}
			x.RequestTrailers.Add("Checksum", "abc")
			x.ResponseTrailers.Add("Checksum", "def")
			var got []int32
			Run(tt.phase, tt.held, false, x, func() { got = tt.calls() })
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %d\nwant %d", got, tt.want)
			}
		})
	}
}
